/** Trainings of models of pictures, on a handful of drawn garments: that they learn, go on, and are what the twins say. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Tokenizer } from '@huggingface/tokenizers'
import { Tensor as OrtTensor } from 'onnxruntime-node'
import { afterAll, expect, test } from 'vitest'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { type LlavaConfig, llavaTensors, llavaToHf, readLlava } from '../../src/model/pictures/llava.ts'
import { patchesOf } from '../../src/model/pictures/patches.ts'
import type { TowerConfig } from '../../src/model/pictures/tower.ts'
import { readVit, type VitConfig, vitTensors, vitToHf } from '../../src/model/pictures/vit.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { pictureRows, textTwin } from '../../test/twins/llava.ts'
import { vitTwin } from '../../test/twins/vit.ts'
import { openSession } from '../onnx/session.ts'
import { weightFeeds } from '../pretrain/feeds.ts'
import { llavaSpecials, readingBatch } from './collage-batches.ts'
import { type LabelledPictures, readFashion } from './fashion.ts'
import { labelVit } from './label-vit.ts'
import { ask, questionKinds } from './questions.ts'
import { readingGraph } from './reading-graph.ts'
import type { StageProgress } from './stage.ts'
import { inTraining, trainLlava } from './train-llava.ts'
import { trainVit } from './train-vit.ts'
import { vitGraph } from './vit-graph.ts'
import { collageVocabulary } from './vocabulary.ts'
import { fashionNormal as normal } from './write-folder.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-pictures-'))
afterAll(() => rmSync(dir, { recursive: true }))

const sizes: TowerConfig = {
  ...{ dim: 16, layers: 2, heads: 2, ff: 24, eps: 1e-6, activation: 'gelu' },
  ...{ picture: 28, patch: 7, channels: 1 },
}
const vit: VitConfig = { ...sizes, labels: ['wide', 'tall', 'none'] }

/** A hundred pictures: bars that lie, bars that stand, and noise. */
function drawn(): LabelledPictures {
  const random = new PredictableRandom(4)
  const count = 100
  const pixels = new Uint8Array(count * 784)
  const labels = new Uint8Array(count)
  for (let p = 0; p < count; p++) {
    labels[p] = p % 3
    const at = 8 + random.below(12)
    for (let i = 0; i < 784; i++) {
      const along = [Math.floor(i / 28), i % 28][labels[p]] ?? 99
      pixels[p * 784 + i] = Math.abs(along - at) < 3 ? 220 : random.below(60)
    }
  }
  return { count, pixels, labels }
}

const random = (shapes: ReadonlyMap<string, readonly number[]>, seed: number): Tensors => {
  const source = new PredictableRandom(seed)
  return new Map(
    [...shapes].map(([name, shape]) => {
      const length = shape.reduce((a, b) => a * b, 1)
      return [name, { shape: [...shape], data: Float32Array.from({ length }, () => 0.3 * source.normal()) }]
    }),
  )
}

test('a ViT on the tape is the twin', async () => {
  const tensors = random(vitTensors(vit), 1)
  const pixels = drawn().pixels.subarray(0, 784)
  const patches = patchesOf(pixels, vit, normal)
  const session = await openSession(vitGraph(vit, 1, false), 1)
  const flat = Float32Array.from(patches.flatMap((patch) => [...patch]))
  const feeds = { patches: new OrtTensor('float32', flat, [16, 49]), ...weightFeeds(tensors) }
  const logits = (await session.run(feeds)).logits.data as Float32Array
  const config = { ...vit, kvHeads: 2, context: 0, vocab: 0, arch: 'vit', tied: false } as ModelConfig
  const want = vitTwin(
    config,
    tensors,
    patches.map((patch) => [...patch]),
  )
  want.forEach((value, i) => {
    expect(logits[i]).toBeCloseTo(value, 3)
  })
})

test('a ViT learns, and goes on where it was', async () => {
  const pictures = drawn()
  const steps: number[] = []
  const options = {
    ...{ config: vit, normal, pictures, out: dir, peakLearningRate: 0.01, seed: 1, threads: 1 },
    onProgress: (p: StageProgress) => steps.push(p.step),
  }
  await trainVit({ ...options, length: { steps: 50 } })
  const weights = await trainVit({ ...options, length: { steps: 100 } })
  expect(steps).toEqual([50, 100])
  const found = await labelVit(vit, weights, pictures, normal, 100)
  expect(found.filter((label, i) => label === pictures.labels[i]).length).toBeGreaterThan(60)
  const other = trainVit({ ...options, seed: 2, length: { steps: 100 } })
  await expect(other).rejects.toThrow('another training')
})

const tokenizer = new Tokenizer(collageVocabulary(384, 10), {})
const llava: LlavaConfig = {
  tower: { ...sizes, picture: 56 },
  towerLayers: 2,
  text: {
    ...{ arch: 'llama', vocab: 384, dim: 32, layers: 2, heads: 2, kvHeads: 2, ff: 40, eps: 1e-5 },
    ...{ context: 128, ropeTheta: 10000, activation: 'silu', tied: false },
  },
  pictureToken: llavaSpecials.indexOf('<image>'),
}

test('a LLaVA on the tape writes what the twin writes, whatever other questions there are', async () => {
  const tensors = random(llavaTensors(llava), 2)
  const size = { examples: 1, tokens: 60 }
  const source = { config: llava, normal, pictures: drawn(), labels: 10, random: new PredictableRandom(3) }
  const { feeds, asked } = readingBatch({ ...source, isVaried: false }, tokenizer, size)
  const session = await openSession(readingGraph(llava, size), 1)
  const { patches, ids, cos, sin, mask } = feeds
  const weights = new Map([...tensors].map(([name, tensor]) => [inTraining(name), tensor]))
  const results = await session.run({ patches, ids, cos, sin, mask, ...weightFeeds(weights) })
  const written = [...(results.tokens.data as BigInt64Array)].map(Number)
  const tower = { ...llava.tower, kvHeads: 2, context: 0, vocab: 0, arch: 'clip', tied: false } as ModelConfig
  const rows = pictureRows({ ...tower, layers: 3 }, tensors, patchRows(patches.data as Float32Array))
  expect(asked.length).toBeGreaterThan(1)
  const all = [...(ids.data as BigInt64Array)].map(Number).slice(65)
  for (const { from, answer } of asked) {
    const twin = textTwin(llava.text, tensors)
    const start = all.lastIndexOf(1, from)
    const question = all.slice(start, from + 1)
    const logits = twin.rows([
      twin.embed(0),
      ...rows,
      ...[...question, ...answer].map((id) => twin.embed(id)),
    ])
    const best = logits.slice(65).map((row) => row.indexOf(Math.max(...row)))
    expect(written.slice(start, from + 1 + answer.length)).toEqual(best)
  }
})

const patchRows = (flat: Float32Array): number[][] =>
  Array.from({ length: flat.length / 49 }, (_, p) => [...flat.subarray(49 * p, 49 * (p + 1))])

test('a LLaVA learns to tell quarters, and to answer', async () => {
  const losses: StageProgress[] = []
  await trainLlava({
    ...{ config: llava, normal, tokenizer, pictures: drawn(), labels: 10, out: dir, peakLearningRate: 0.005 },
    ...{ seed: 1, threads: 1, vit: { config: vit, tensors: random(vitTensors(vit), 5) } },
    length: { seeing: { steps: 50 }, naming: { steps: 2 }, reading: { steps: 50 } },
    onProgress: (p) => losses.push(p),
  })
  const [seeing, reading] = losses
  // Of three garments, in four places.
  expect(seeing.losses.quarter).toBeLessThan(Math.log(40))
  expect(reading.losses.quarter).toBeLessThan(seeing.losses.quarter)
  expect(reading.losses.token).toBeLessThan(0.7 * Math.log(384))
})

test('questions are answered by what is there', () => {
  const source = new PredictableRandom(1)
  const labels = [4, 8, 4, 9]
  for (const kind of questionKinds)
    for (let i = 0; i < 20; i++) {
      const { question, answer } = ask(kind, labels, source)
      const about = /(coat|bag|boot)/.exec(question)?.[1]
      if (kind === 'all') expect(answer).toBe('a coat, a bag, a coat and a boot.')
      if (kind === 'place')
        expect(answer).toBe(
          /top left|bottom left/.test(question) ? 'a coat.' : /top/.test(question) ? 'a bag.' : 'a boot.',
        )
      if (kind === 'presence') expect(answer).toBe(about ? 'yes.' : 'no.')
      if (kind === 'count') expect(answer).toBe(about === 'coat' ? 'two.' : about ? 'one.' : 'none.')
      if (kind === 'where' && about === 'coat') expect(answer).toBe('at the top left and bottom left.')
      if (kind === 'where' && !about) expect(answer).toBe('nowhere.')
    }
})

test('configurations come back as they were written', () => {
  expect(readVit(vitToHf(vit), '')).toEqual(vit)
  const back = readLlava(llavaToHf(llava, { bos: 0, end: 3 }), '')
  expect(back).toMatchObject({ tower: llava.tower, towerLayers: 2, pictureToken: 4 })
  expect(back.text).toMatchObject({ dim: 32, layers: 2, vocab: 384 })
  expect(() => readLlava({ ...llavaToHf(llava, { bos: 0, end: 3 }), vision_feature_layer: -4 }, '')).toThrow(
    'vision_feature_layer',
  )
})

test('the data is Fashion-MNIST’s, or refused', () => {
  const idx = (axes: number[], bytes: Uint8Array): Uint8Array => {
    const head = Buffer.alloc(4 + 4 * axes.length)
    head.writeUInt32BE(0x800 + axes.length)
    for (const [i, size] of axes.entries()) head.writeUInt32BE(size, 4 + 4 * i)
    return gzipSync(Buffer.concat([head, bytes]))
  }
  const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(dir, name), bytes)
  expect(() => readFashion(dir, 'test')).toThrow('dataset-fashion-mnist')
  write('t10k-images-idx3-ubyte.gz', idx([2, 28, 28], new Uint8Array(2 * 784).fill(7)))
  write('t10k-labels-idx1-ubyte.gz', idx([2], Uint8Array.of(3, 9)))
  expect(readFashion(dir, 'test')).toMatchObject({ count: 2, labels: Uint8Array.of(3, 9) })
  write('t10k-labels-idx1-ubyte.gz', idx([3], Uint8Array.of(3, 9, 1)))
  expect(() => readFashion(dir, 'test')).toThrow('other pictures')
  write('t10k-labels-idx1-ubyte.gz', idx([4], Uint8Array.of(3, 9)))
  expect(() => readFashion(dir, 'test')).toThrow('no file of bytes')
})
