import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runTrain, trainCommand } from '../../src/cli/commands/train.ts'
import { demoConfig } from '../../src/model/architectures/config.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { onnxEngine } from '../onnx/engine.ts'
import { Batches } from './batches.ts'
import { readDialogues } from './dialogues.ts'
import { readCurve } from './loss-curve.ts'
import { type TrainOptions, train } from './train.ts'

let dir: string
let data: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sotto-train-'))
  data = join(dir, 'dialogues.jsonl.gz')
  const cities = ['Rome', 'Oslo', 'Lima', 'Cairo']
  const lines = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({
      id: String(i),
      turns: [
        { role: 'user', text: `Find a table in ${cities[i % 4]}` },
        { role: 'assistant', text: `There are ${i % 7} tables in ${cities[i % 4]}.` },
      ],
    }),
  )
  writeFileSync(data, gzipSync(lines.join('\n')))
})
afterAll(() => rmSync(dir, { recursive: true }))

const tiny = { ...demoConfig, vocab: 320, dim: 32, layers: 1, ff: 48, context: 32 }
const options = (name: string): TrainOptions => ({
  data,
  out: join(dir, name),
  config: tiny,
  shapes: [
    [4, 16],
    [2, 32],
  ],
  peakLearningRate: 0.01,
  engine: (config) => onnxEngine(config, 1),
})

test('the loss starts at that of guessing and falls well below', async () => {
  await train({ ...options('fall'), steps: 60, dev: data, devEvery: 30 })
  const curve = readCurve(join(dir, 'fall', 'loss.csv'))
  expect(curve.map((point) => point.step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
  expect(curve[0].loss).toBeCloseTo(Math.log(tiny.vocab), 1)
  expect(curve[59].loss).toBeLessThan(1.5)
  expect(curve[59].devLoss).toBeLessThan(curve[29].devLoss!)
})

test('an interrupted run, resumed, ends in exactly the same weights', async () => {
  const whole = await train({ ...options('whole'), steps: 8 })
  const interrupt = (p: { step: number }) => {
    if (p.step === 5) throw new Error('power cut')
  }
  const part = { ...options('part'), steps: 8, checkpointMinutes: -1 }
  await expect(train({ ...part, onProgress: interrupt })).rejects.toThrow('power cut')
  const resumed = await train({ ...part, resume: true })
  expect(resumed.weights).toEqual(whole.weights)
  const losses = (name: string) => readCurve(join(dir, name, 'loss.csv')).map((p) => [p.step, p.loss])
  expect(losses('part')).toEqual(losses('whole'))
})

test('a finished run leaves a loadable bundle and a picture', async () => {
  const { engine: _, ...rest } = options('done')
  const summary = await runTrain({ ...rest, steps: 2 })
  const bundle = await loadBundle(summary.bundle)
  expect(bundle.hash).toBe(summary.hash)
  expect(bundle.manifest.chat).toMatchObject({ bos: 0, user: 1, assistant: 2, end: 3, stop: [3] })
  expect(readFileSync(join(dir, 'done', 'loss.svg'), 'utf8')).toContain('<path d="M')
  await expect(runTrain({ ...rest, steps: 2 })).rejects.toThrow('--resume')
})

test('batches depend on seed and step only, and half start at a dialogue', () => {
  const stream = Uint16Array.from({ length: 500 }, (_, i) => (i % 20 === 0 ? 0 : 1 + (i % 20)))
  const at = (seed: number, step: number) => new Batches(stream, 0, seed).at(step, 4, 32)
  expect(at(1, 3)).toEqual(at(1, 3))
  expect(at(1, 3)).not.toEqual(at(1, 4))
  expect(at(1, 3)).not.toEqual(at(2, 3))
  for (let step = 0; step < 20; step++) expect([0, 8]).toContain(at(1, step).ids[0])
  expect(() => new Batches(stream.subarray(0, 20), 0, 1).at(0, 1, 32)).toThrow('Too little text')
})

test('bad input is named', async () => {
  const bad = join(dir, 'bad.jsonl')
  writeFileSync(bad, '{"turns":[{"role":"user","text":"hi"}]}\n{"turns":[{"role":"robot","text":"hi"}]}\n')
  expect(() => readDialogues(bad)).toThrow('bad.jsonl, line 2')
  const command = (...words: string[]) => trainCommand.parseAsync(words, { from: 'user' })
  await expect(command()).rejects.toThrow('--data')
  await expect(command('--data', 'x', '--out', 'y', '--steps', 'many')).rejects.toThrow('--steps')
  await expect(train({ ...options('never') })).rejects.toThrow('--steps or --minutes')
})
