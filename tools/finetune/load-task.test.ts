import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { randomModel } from '../../src/model/random.ts'
import { smallConfig } from '../../test/support/classify-corpus.ts'
import { bertSpecials, wordPieceJson } from '../train/wordpiece.ts'
import { DataError } from './data.ts'
import { loadTask } from './load-task.ts'
import type { TaskOptions } from './loaded-task.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-task-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const base = {
  config: smallConfig,
  tensors: randomModel(smallConfig, 3),
  tokenizer: wordPieceJson([...bertSpecials, ...'abcdefghijklmnopqrstuvwxyz']),
}

const examples = Array.from({ length: 120 }, (_, i) => ({
  text: `${'abcdefghij'[i % 10]} ${'klmnopqrstuv'[Math.floor(i / 10)]}`,
  label: i % 3 === 0 ? 'yes' : 'no',
}))

function file(name: string, lines: readonly object[]): string {
  const path = join(dir, name)
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'))
  return path
}

const options = (data: string, over: Partial<TaskOptions> = {}): TaskOptions => ({
  ...{ task: 'labels', data, heldOut: 0.2, pairsPerText: 1, isPrivate: true, wordDropout: 0, smoothing: 0 },
  ...{ threads: 1, method: 'ffa-lora', rank: 2, alpha: 4, seed: 1 },
  ...over,
})

describe('a private run', () => {
  it('holds texts out so that one text less changes one part by that text', () => {
    const whole = loadTask(base, options(file('whole.jsonl', examples)))
    expect(whole.task.examples + whole.dev.length).toBe(120)
    expect(whole.dev.length).toBeGreaterThan(8)
    for (const left of [0, 50, 119]) {
      const fewer = examples.filter((_, i) => i !== left)
      const part = loadTask(base, options(file('fewer.jsonl', fewer)))
      expect(part.task.examples + part.dev.length).toBe(119)
      expect(whole.dev).toEqual(expect.arrayContaining([...part.dev]))
    }
  })

  it('names the labels of held-out texts alone', () => {
    const dev = file('dev.jsonl', examples.slice(0, 9))
    const { config } = loadTask(base, options(file('a.jsonl', examples), { dev }))
    expect(config.head).toMatchObject({ labels: ['no', 'yes'] })
    const rare = file('b.jsonl', [...examples, { text: 'x y', label: 'rare' }])
    expect(() => loadTask(base, options(rare, { dev }))).toThrow(DataError)
    expect(() => loadTask(base, options(rare, { dev }))).toThrow('"rare"')
    const ordinary = loadTask(base, options(rare, { dev, isPrivate: false, method: 'full' }))
    expect(ordinary.config.head).toMatchObject({ labels: ['no', 'rare', 'yes'] })
  })
})

it('needs held-out texts', () => {
  const few = file('few.jsonl', examples.slice(0, 3))
  expect(() => loadTask(base, options(few, { heldOut: 0.1, isPrivate: false }))).toThrow('--dev')
})
