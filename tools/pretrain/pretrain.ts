import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { scatterEmbeddings } from '../onnx/scatter.ts'
import { openSession } from '../onnx/session.ts'
import { AdamW, type AdamWOptions, learningRate } from '../train/adamw.ts'
import { loadCheckpoint, saveCheckpoint, type TrainState } from '../train/checkpoint.ts'
import { LossCurve } from '../train/loss-curve.ts'
import { bertSpecials, wordPieceJson, wordPieceVocabulary } from '../train/wordpiece.ts'
import { EncoderTokenizer } from './encode.ts'
import { weightFeeds } from './feeds.ts'
import { MaskedBatches, type Material } from './masked-batches.ts'
import { maskedGraph, sentenceShapes } from './masked-graph.ts'
import { fillFromVectors, joined, SentenceTargets } from './sentence.ts'
import { readTexts, type TextPair } from './texts.ts'
import { readLexicon, readVectors, type WordVectors } from './vectors.ts'

export interface PretrainOptions {
  /** JSON lines with texts or dialogues. */
  data: string[]
  /** Word vectors that the word table starts from, in GloVe's text form. */
  vectors: string
  /** Words with a score of their tone, tab-separated. */
  lexicon: string
  /** Folder for `tokenizer.json`, `checkpoint.safetensors` and `loss.csv`. */
  out: string
  /** Go on from another folder's weights and tokenizer instead of from nothing. */
  from?: string
  config: ModelConfig
  minutes: number
  /** Tokens in a batch, padding included. */
  tokens?: number
  peakLearningRate?: number
  seed?: number
  threads?: number
  resume?: boolean
  onProgress?: (progress: PretrainProgress) => void
}

export interface PretrainProgress {
  step: number
  elapsed: number
  /** Nats for each hidden token. */
  loss: number
  /** Mean squared error of what the pooler says about the sentence; 1 when it knows nothing. */
  sentenceLoss: number
  tokensPerSecond: number
}

const wordTable = (config: ModelConfig): string => graphOf(config).tables[0].tensor

/** The word table starts from vectors that know more than these texts: it follows slowly. */
const optimizerOptions = (config: ModelConfig): AdamWOptions => ({
  beta1: 0.9,
  beta2: 0.98,
  eps: 1e-8,
  weightDecay: 0.01,
  clip: 1,
  rate: (name) => (name === wordTable(config) ? 0.1 : 1),
})

/** Masked-language-model pre-training of a BERT with a sentence objective for its pooler; resumes exactly. */
export async function pretrain(o: PretrainOptions): Promise<{ state: TrainState; weights: Tensors }> {
  mkdirSync(o.out, { recursive: true })
  const checkpoint = join(o.out, 'checkpoint.safetensors')
  if (existsSync(checkpoint) !== (o.resume ?? false))
    throw new Error(
      o.resume
        ? `${checkpoint} does not exist: there is nothing to resume.`
        : `${checkpoint} exists already.`,
    )
  const texts = o.data.flatMap(readTexts)
  const vectors = readVectors(o.vectors)
  const lexicon = readLexicon(o.lexicon)
  const tokenizer = tokenizerFor(o, texts, vectors, lexicon)
  const { state, optimizer } = o.resume
    ? loadCheckpoint(checkpoint, optimizerOptions(o.config))
    : start(o, vectors, tokenizer)
  const { config } = state
  const targets = new SentenceTargets(vectors, lexicon, texts.map(joined))
  const encoder = new EncoderTokenizer(tokenizer, config)
  const material = texts.map(
    (pair): Material => ({ text: encoder.encode(pair[0], pair[1]), about: targets.of(joined(pair)) }),
  )
  const ids = {
    pad: encoder.pad,
    mask: encoder.id('[MASK]')!,
    specials: bertSpecials.length,
    vocab: config.vocab,
  }
  const tokens = o.tokens ?? 2048
  const batches = new MaskedBatches(material, ids, { context: config.context, tokens, seed: state.seed })
  const sessions = new Map<number, Promise<InferenceSession>>()
  const curve = new LossCurve(join(o.out, 'loss.csv'), state.step)
  let saved = Date.now()
  for (;;) {
    const progress = state.elapsed / (60 * o.minutes)
    if (progress >= 1) break
    const began = performance.now()
    const { examples, length, feeds } = batches.at(state.step)
    if (!sessions.has(length)) {
      const graph = maskedGraph(config, examples, length, targets.width)
      sessions.set(length, openSession(graph, o.threads ?? 1))
    }
    const session = await sessions.get(length)!
    const results = await session.run({ ...feeds, ...weightFeeds(optimizer.weights) })
    const values = (name: string) => results[name].data as Float32Array
    const gradients = new Map<string, Float32Array>()
    for (const [name, { data }] of optimizer.weights)
      gradients.set(name, results[`d ${name}`] ? values(`d ${name}`) : new Float32Array(data.length))
    scatterEmbeddings(config, gradients, values('d embedded'), feeds, length)
    const rate = learningRate(progress, o.peakLearningRate ?? 1e-3)
    const gradientNorm = optimizer.update(gradients, rate)
    state.step++
    const seconds = (performance.now() - began) / 1000
    state.elapsed += seconds
    const loss = weightedMean(values('loss'), feeds.weights.data as Float32Array)
    const sentenceLoss = values('sentence loss').reduce((a, b) => a + b, 0) / examples
    curve.add({ step: state.step, elapsed: state.elapsed, loss, learningRate: rate, gradientNorm })
    o.onProgress?.({
      step: state.step,
      elapsed: state.elapsed,
      loss,
      sentenceLoss,
      tokensPerSecond: (examples * length) / seconds,
    })
    if (Date.now() - saved > 120_000) {
      saveCheckpoint(checkpoint, state, optimizer)
      saved = Date.now()
    }
  }
  saveCheckpoint(checkpoint, state, optimizer)
  for (const session of sessions.values()) await (await session).release()
  return { state, weights: optimizer.weights }
}

const weightedMean = (values: Float32Array, weights: Float32Array): number =>
  values.reduce((sum, value, i) => sum + value * weights[i], 0)

type TokenizerJson = ReturnType<typeof wordPieceJson>

/** The tokenizer of the folder to go on from, or a new one. */
function tokenizerFor(
  o: PretrainOptions,
  texts: TextPair[],
  vectors: WordVectors,
  lexicon: ReadonlyMap<string, number>,
): TokenizerJson {
  const path = join(o.out, 'tokenizer.json')
  const known = [path, ...(o.from ? [join(o.from, 'tokenizer.json')] : [])].find((p) => existsSync(p))
  // Words with a tone matter more than their frequency says.
  const frequency = new Map(
    [...vectors.frequency].map(([word, share]) => [word, lexicon.has(word) ? 4 * share : share]),
  )
  const json = known
    ? (JSON.parse(readFileSync(known, 'utf8')) as TokenizerJson)
    : wordPieceJson(
        wordPieceVocabulary(texts.map(joined), {
          size: o.config.vocab,
          suffixes: Math.floor(o.config.vocab / 16),
          frequency,
        }),
      )
  writeFileSync(path, JSON.stringify(json))
  return json
}

function start(o: PretrainOptions, vectors: WordVectors, tokenizer: TokenizerJson) {
  const seed = o.seed ?? 1
  const state: TrainState = { step: 0, elapsed: 0, seed, config: o.config }
  if (o.from) {
    const { state: before, optimizer } = loadCheckpoint(join(o.from, 'checkpoint.safetensors'))
    state.config = before.config
    return { state, optimizer: new AdamW(optimizer.weights, optimizerOptions(state.config)) }
  }
  const random = new PredictableRandom(seed)
  const weights: Tensors = new Map()
  const tables = graphOf(o.config).tables.map(({ tensor }) => tensor)
  const shapes = [...tensorShapes(o.config), ...sentenceShapes(o.config, vectors.dim + 1)]
  for (const [name, shape] of shapes) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    const std = tables.includes(name) ? 0.01 : 1 / Math.sqrt(3 * shape[shape.length - 1])
    if (shape.length === 1) data.fill(name.endsWith('.bias') ? 0 : 1)
    else for (let i = 0; i < data.length; i++) data[i] = std * random.normal()
    weights.set(name, { shape, data })
  }
  const words = weights.get(wordTable(o.config))!
  fillFromVectors(words, Object.keys(tokenizer.model.vocab), vectors, 0.06)
  return { state, optimizer: new AdamW(weights, optimizerOptions(o.config)) }
}
