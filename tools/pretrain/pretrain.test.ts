import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { PredictableRandom, randomModel } from '../../src/model/random.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { weightFeeds } from './feeds.ts'
import { MaskedBatches } from './masked-batches.ts'
import { maskedGraph, sentenceShapes } from './masked-graph.ts'
import { pretrain } from './pretrain.ts'
import { fillFromVectors, SentenceTargets } from './sentence.ts'
import { readTexts } from './texts.ts'
import { readLexicon, readVectors } from './vectors.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-pretrain-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

const config: ModelConfig = {
  arch: 'bert',
  vocab: 30,
  dim: 8,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  ff: 12,
  eps: 1e-6,
  context: 16,
  activation: 'gelu',
  tied: true,
  types: 2,
  head: { kind: 'mlm' },
}

const material = Array.from({ length: 12 }, (_, i) => ({
  text: { ids: [2, 6 + i, 7 + i, 8, 20 - i, 3], types: [0, 0, 0, 0, 1, 1] },
  about: Float32Array.of(i / 12, 1),
}))
const specials = { pad: 0, mask: 4, specials: 5, vocab: 30 }

describe('a step of pre-training', () => {
  it('has the loss of the float reference, and gradients equal to finite differences', async () => {
    const tensors: Tensors = randomModel(config, 5)
    const random = new PredictableRandom(3)
    for (const [name, shape] of sentenceShapes(config, 2)) {
      const data = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => 0.3 * random.normal(),
      )
      tensors.set(name, { shape, data })
    }
    const { examples, length, feeds } = new MaskedBatches(material, specials, {
      context: 16,
      tokens: 64,
      seed: 1,
    }).at(0)
    const session = await openSession(maskedGraph(config, examples, length, 2), 1)
    const lossOf = async () => {
      const results = await session.run({ ...feeds, ...weightFeeds(tensors) })
      const losses = results.loss.data as Float32Array
      const weights = feeds.weights.data as Float32Array
      const about = (results['sentence loss'].data as Float32Array).reduce((a, b) => a + b, 0) / examples
      return { results, masked: losses.reduce((sum, loss, i) => sum + loss * weights[i], 0), about }
    }
    const { results, masked } = await lossOf()
    expect(masked).toBeCloseTo(referenceLoss(tensors, feeds, length), 4)
    const gradients = new Map(
      [...tensors].map(([name, { data }]) => [
        name,
        Float32Array.from((results[`d ${name}`]?.data as Float32Array) ?? new Float32Array(data.length)),
      ]),
    )
    scatterEmbeddings(config, gradients, results['d embedded'].data as Float32Array, feeds, length)
    for (const [name, { data }] of tensors) {
      const gradient = gradients.get(name)!
      const i = gradient.reduce((at, value, k) => (Math.abs(value) > Math.abs(gradient[at]) ? k : at), 0)
      const kept = data[i]
      const step = 3e-3
      data[i] = kept + step
      const up = await lossOf()
      data[i] = kept - step
      const down = await lossOf()
      data[i] = kept
      const slope = (up.masked + up.about - down.masked - down.about) / (2 * step)
      // The losses are float32, so their difference is coarse.
      expect(Math.abs(gradient[i] - slope), `${name}[${i}]`).toBeLessThan(2e-3 + 0.02 * Math.abs(slope))
    }
    await session.release()
  })

  it('hides about the right share, of real tokens only, and repeats itself', () => {
    const batches = new MaskedBatches(material, specials, { context: 16, tokens: 64, seed: 1 })
    const { feeds } = batches.at(3)
    const rows = [...(feeds.rows.data as BigInt64Array)].map(Number)
    const weights = [...(feeds.weights.data as Float32Array)]
    expect(new Set(rows).size).toBe(rows.length)
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    const gold = [...(feeds.targets.data as BigInt64Array)].map(Number)
    gold.forEach((id, i) => {
      if (weights[i] > 0) expect(id).toBeGreaterThanOrEqual(specials.specials)
    })
    expect(batches.at(3).feeds.ids.data).toEqual(feeds.ids.data)
    expect(batches.at(4).feeds.ids.data).not.toEqual(feeds.ids.data)
  })
})

function referenceLoss(
  tensors: Tensors,
  feeds: Awaited<ReturnType<MaskedBatches['at']>>['feeds'],
  length: number,
) {
  const numbers = (name: string) => [...(feeds[name].data as BigInt64Array)].map(Number)
  const [ids, types, rows, gold] = ['ids', 'types', 'rows', 'targets'].map(numbers)
  const mask = [...(feeds.mask.data as Float32Array)].map((value) => (value === 0 ? 1 : 0))
  const model = encoderModel(config, tensors)
  return rows.reduce((sum, row, i) => {
    const from = row - (row % length)
    const part = (values: number[]) => values.slice(from, from + length)
    const { logits } = model.forward({ ids: part(ids), types: part(types), mask: part(mask) })
    const own = logits!.subarray((row % length) * config.vocab, ((row % length) + 1) * config.vocab)
    const total = Math.log(own.reduce((a, x) => a + Math.exp(x), 0))
    return sum - (feeds.weights.data as Float32Array)[i] * (own[gold[i]] - total)
  }, 0)
}

describe('what a sentence is about', () => {
  const vectors = {
    dim: 2,
    frequency: new Map(),
    byWord: new Map([
      ['good', Float32Array.of(1, 0)],
      ['bad', Float32Array.of(0, 1)],
    ]),
  }
  const lexicon = new Map([
    ['good', 3],
    ['bad', -3],
  ])
  const targets = new SentenceTargets(vectors, lexicon, ['good', 'bad'])
  const tone = (text: string) => targets.of(text)[2]

  it('has the tone of its words, turned round by a negation', () => {
    expect(tone('a good film')).toBeGreaterThan(0)
    expect(tone('a bad film')).toBeLessThan(0)
    expect(tone("it isn't good")).toBeLessThan(0)
    expect(tone('a film')).toBe(0)
  })

  it('has the mean of its words, less that of all texts, at unit size', () => {
    const [x, y] = targets.of('good')
    expect(x).toBeCloseTo(1, 5)
    expect(y).toBeCloseTo(-1, 5)
  })

  it('fills a table with centred vectors, suffixes from words that they look like', () => {
    const table = { shape: [4, 3], data: new Float32Array(12).fill(9) }
    const words = { ...vectors, byWord: new Map([...vectors.byWord, ['fully', Float32Array.of(4, 4)]]) }
    fillFromVectors(table, ['good', 'bad', '##fully', '##y'], words, 0.1)
    expect(table.data[2]).toBe(9)
    expect([...table.data.subarray(9)]).toEqual([9, 9, 9])
    const filled = [0, 1, 3, 4, 6, 7].map((at) => table.data[at])
    expect(Math.sqrt(filled.reduce((sum, v) => sum + v * v, 0) / 6)).toBeCloseTo(0.1, 5)
    expect(filled[0] + filled[2] + filled[4]).toBeCloseTo(0, 6)
  })
})

describe('files', () => {
  it('of texts and dialogues become texts and pairs', () => {
    const path = file('t.jsonl', '{"text":"one"}\n{"turns":[{"text":"a"},{"text":"b"},{"text":"c"}]}\n')
    expect(readTexts(path)).toEqual([['one'], ['a', 'b'], ['c']])
    expect(() => readTexts(file('u.jsonl', '{"text":"one"}\n{"x":1}\n'))).toThrow('line 2')
  })

  it('of vectors and scores are checked', () => {
    expect(readVectors(file('v.txt', 'the 1 2\ncat 3 4\n')).byWord.get('cat')).toEqual(Float32Array.of(3, 4))
    expect(() => readVectors(file('w.txt', 'the 1 2\ncat 3\n'))).toThrow('line 2')
    expect(readLexicon(file('l.tsv', 'good\t3\nbad\t-3\n'))).toEqual(
      new Map([
        ['good', 3],
        ['bad', -3],
      ]),
    )
    expect(() => readLexicon(file('m.tsv', 'good 3\n'))).toThrow('line 1')
  })
})

it('learns, and goes on where it stopped', async () => {
  const sentences = Array.from(
    { length: 60 },
    (_, i) => `{"text":"the cat number ${'abcdef'[i % 6]} sat and ran"}`,
  )
  const options = {
    data: [file('p.jsonl', `${sentences.join('\n')}\n`)],
    vectors: file('p.txt', 'the 1 2\ncat 3 4\nsat 0 1\n'),
    lexicon: file('p.tsv', 'good\t3\n'),
    out: join(dir, 'run'),
    config: { ...config, vocab: 140 },
    tokens: 128,
  }
  const losses: number[] = []
  const onProgress = ({ loss }: { loss: number }) => losses.push(loss)
  const first = await pretrain({ ...options, minutes: 0.01, onProgress })
  expect(losses.at(-1)).toBeLessThan(losses[0])
  await expect(pretrain({ ...options, minutes: 0.01 })).rejects.toThrow('exists already')
  const second = await pretrain({ ...options, minutes: 0.012, resume: true })
  expect(second.state.step).toBeGreaterThan(first.state.step)
})
