import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoConfig, type ModelConfig } from '../../src/model/architectures/config.ts'
import { loadBundle, writeBundle } from '../../src/model/files/bundle-node.ts'
import { randomModel } from '../../src/model/random.ts'
import { chatTemplate } from '../../src/model/tokenizer/chat.ts'
import { smallConfig } from '../../test/support/classify-corpus.ts'
import { labelAgreement } from '../evaluate/label-agreement.ts'
import { DataError, readExamples } from '../finetune/data.ts'
import { toTokenizerJson, trainBpe } from '../train/bpe.ts'
import { chatSpecials } from '../train/dialogues.ts'
import { bertSpecials, wordPieceJson } from '../train/wordpiece.ts'
import { type LowbitOptions, runLowbit } from './lowbit.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-lowbit-'))
const at = (name: string): string => join(dir, name)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const about = { name: 'base', description: '', license: 'none', source: 'random weights' }
const turns = (i: number) => [
  { role: 'user', text: `find ${['a', 'b', 'c'][i % 3]}` },
  { role: 'assistant', text: `it is ${['a', 'b', 'c'][i % 3]}` },
]

beforeAll(async () => {
  const encoder: ModelConfig = {
    ...{ ...smallConfig, dim: 32, heads: 4, kvHeads: 4, ff: 48 },
    head: { kind: 'classify', labels: ['no', 'yes'] },
  }
  const tokenizer = wordPieceJson([...bertSpecials, ...'abcdefghijklmnopqrstuvwxyz'])
  await writeBundle(at('encoder'), {
    ...about,
    config: encoder,
    profile: {},
    tokenizer,
    tensors: randomModel(encoder, 3),
  })
  const lines = Array.from({ length: 96 }, (_, i) =>
    JSON.stringify({ text: `${'abc'[i % 3]} b c ${i % 2 ? 'y' : 'n'} d`, label: i % 2 ? 'yes' : 'no' }),
  )
  writeFileSync(at('train.jsonl'), lines.join('\n'))
  writeFileSync(at('dev.jsonl'), lines.slice(0, 12).join('\n'))
  writeFileSync(at('texts.jsonl'), lines.slice(0, 24).join('\n'))

  const dialogues = Array.from({ length: 30 }, (_, i) => JSON.stringify({ id: `${i}`, turns: turns(i) }))
  writeFileSync(at('dialogues.jsonl'), dialogues.join('\n'))
  const bpe = trainBpe(
    Array.from({ length: 30 }, (_, i) => turns(i).map(({ text }) => text)).flat(),
    270,
    chatSpecials,
  )
  const decoder: ModelConfig = { ...demoConfig, vocab: 270, dim: 32, layers: 1, ff: 48, context: 256 }
  const chat = { template: chatTemplate, bos: 0, user: 1, assistant: 2, end: 3, stop: [3] }
  await writeBundle(at('decoder'), {
    ...{ ...about, config: decoder, chat, profile: {} },
    ...{ tokenizer: toTokenizerJson(bpe), tensors: randomModel(decoder, 3) },
  })
})

const common: Omit<LowbitOptions, 'base' | 'task' | 'data' | 'dev' | 'out'> = {
  texts: [],
  bits: 'w1a8',
  shape: { layers: 1 },
  epochs: 8,
  batch: 16,
  learningRate: 0.01,
  wordDropout: 0,
  hiddenWeight: 0.1,
  soft: 0,
  seed: 1,
  threads: 1,
  resume: false,
  checkpointSeconds: 0,
  about: {},
}
const classifier = (out: string): LowbitOptions => ({
  ...common,
  ...{ base: at('encoder'), task: 'labels', data: at('train.jsonl'), dev: at('dev.jsonl'), out: at(out) },
})

describe('a classifier', () => {
  it('learns, and its bundle is computed privately as the oracle has it, with nothing out of range', async () => {
    const stages: string[] = []
    const summary = await runLowbit({
      ...classifier('labels'),
      texts: [at('texts.jsonl')],
      onStage: ({ stage }) => stages.push(stage),
    })
    expect(stages).toEqual(['float', 'w32a8', 'w1a8'])
    expect(Math.min(...summary.accuracy!)).toBeGreaterThan(0.9)
    const bundle = await loadBundle(summary.bundle)
    expect(bundle.manifest.config).toMatchObject({ arch: 'rms-bert', layers: 1 })
    expect(bundle.privateNames.has('classifier.weight')).toBe(true)
    const found = await labelAgreement(bundle, readExamples(at('dev.jsonl')).slice(0, 6))
    expect(found).toMatchObject({ violations: 0, mismatches: 0, privateAccuracy: 1, oracleAccuracy: 1 })
  })

  it('that was interrupted, and went on, ends as one that was not', async () => {
    const short = { epochs: 1, bits: 'w1a4' as const }
    const whole = await runLowbit({ ...classifier('whole'), ...short })
    let seen = 0
    const interrupted = {
      ...classifier('parts'),
      ...short,
      onProgress: ({ stage }: { stage: string }) => {
        if (stage === 'w1a6' && seen++ === 0) throw new Error('power cut')
      },
    }
    await expect(runLowbit(interrupted)).rejects.toThrow('power cut')
    await expect(runLowbit(interrupted)).rejects.toThrow('--resume')
    const other = { ...interrupted, shape: { layers: 2 }, resume: true }
    await expect(runLowbit(other)).rejects.toThrow('another shape')
    const parts = await runLowbit({ ...interrupted, resume: true, about: { name: 'whole' } })
    expect(parts.hash).toBe(whole.hash)
    // One that is done goes on in its last stage.
    const stages: string[] = []
    const onStage = ({ stage, epochs }: { stage: string; epochs: number }) =>
      stages.push(`${stage} ${epochs}`)
    const longer = await runLowbit({ ...classifier('whole'), ...short, epochs: 2, resume: true, onStage })
    expect(stages).toEqual(['w1a4 2'])
    expect(longer.stages.map(({ stage }) => stage)).toEqual(['float', 'w32a8', 'w1a8', 'w1a6', 'w1a4'])
    expect(longer.hash).not.toBe(whole.hash)
    const again = await runLowbit({ ...classifier('whole'), ...short, epochs: 2, resume: true })
    expect(again.hash).toBe(longer.hash)
  })
})

describe('a chat model', () => {
  it('learns what its base says, in parallel blocks', async () => {
    const losses: number[] = []
    const summary = await runLowbit({
      ...common,
      ...{ base: at('decoder'), task: 'chat', data: at('dialogues.jsonl'), dev: at('dialogues.jsonl') },
      ...{ out: at('chat'), epochs: 25, onStage: ({ loss }) => losses.push(loss) },
    })
    // Every dialogue is one of three: little is left to guess.
    expect(Math.max(...losses, ...summary.loss)).toBeLessThan(2)
    const { manifest } = await loadBundle(summary.bundle)
    expect(manifest.config).toMatchObject({ arch: 'parallel-llama', activation: 'linear' })
    expect(manifest.chat?.stop).toEqual([3])
  })
})

it('data of another task is refused', async () => {
  await expect(runLowbit({ ...classifier('wrong'), task: 'chat' })).rejects.toThrow(DataError)
})
