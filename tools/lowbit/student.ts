import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { type Dense, learned } from '../../src/model/graph/graph.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { stepNames } from './matrices.ts'

/** Shape of the student, where it is not the base's. */
export interface StudentShape {
  readonly layers?: number
  readonly ff?: number
}

/** The configuration of a lowbit model that stands in for a base. */
export function studentConfig(base: ModelConfig, { layers, ff }: StudentShape): ModelConfig {
  const shared = {
    ...base,
    layers: layers ?? base.layers,
    ff: ff ?? base.ff,
    eps: 1e-6,
    tied: true,
    softcap: undefined,
    softmaxCap: undefined,
    ropeTheta: undefined,
    ropeScaling: undefined,
    lora: undefined,
  }
  if (graphOf(base).attention === 'causal') return { ...shared, arch: 'parallel-llama', activation: 'linear' }
  if (base.head?.kind !== 'classify') throw new Error('A lowbit encoder needs a base that classifies.')
  return { ...shared, arch: 'rms-bert', activation: 'relu', positionOffset: undefined }
}

/**
 * Masters to begin with: the base's tables with the norm behind them folded in, as far as it can be; matrices at random, of
 * a size at which every value of a layer has a variance near one; steps of one.
 */
export function studentWeights(
  config: ModelConfig,
  base: { config: ModelConfig; tensors: Tensors },
  seed: number,
): Tensors {
  const random = new PredictableRandom(seed)
  const graph = graphOf(config)
  const baseGraph = graphOf(base.config)
  const masters: Tensors = new Map()
  const hd = config.dim / config.heads
  const spreads = new Map<string, number>()
  for (const { query, key, attentionOutput, down } of graph.layers) {
    // Scores of two octaves.
    for (const { weight } of [query, key]) spreads.set(weight, Math.sqrt(2 / Math.sqrt(hd) / config.dim))
    spreads.set(attentionOutput.weight, 1 / Math.sqrt(config.dim))
    spreads.set(down.weight, 1 / Math.sqrt(config.ff))
  }
  if (graph.head.kind === 'labels') spreads.set(graph.head.output.weight, 0)
  for (const [name, shape] of tensorShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
    const std = shape.length === 1 ? 0 : (spreads.get(name) ?? 1 / Math.sqrt(config.dim))
    for (let i = 0; i < data.length; i++) data[i] = std * random.normal()
    masters.set(name, { shape, data })
  }
  graph.tables.forEach(({ tensor, rows }, i) => {
    const { tensor: from, offset } = baseGraph.tables[i]
    const { data } = base.tensors.get(from)!
    masters.get(tensor)!.data.set(data.subarray(offset * config.dim, (offset + rows) * config.dim))
  })
  if (baseGraph.skip === 'normalised') foldNorm(config, base, masters)
  else foldFinalNorm(config, base, masters)
  const hasHeadNorms = baseGraph.layers.some(({ queryNorm }) => queryNorm)
  if (baseGraph.skip === 'stream' && haveSameShape(config, base.config) && !hasHeadNorms)
    takeBlocks(config, base, masters)
  for (const name of stepNames(config)) masters.set(name, { shape: [1], data: new Float32Array(1) })
  return masters
}

/** The last norm's gain, into the embedding, which is the output matrix as well. */
function foldFinalNorm(
  config: ModelConfig,
  base: { config: ModelConfig; tensors: Tensors },
  masters: Tensors,
): void {
  const { finalNorm, tables } = graphOf(base.config)
  if (finalNorm.kind !== 'rms') throw new Error('A lowbit chat model needs a base of LLaMA form.')
  const gain = base.tensors.get(finalNorm.gain)!.data
  const { data } = masters.get(graphOf(config).tables[0].tensor)!
  const embedding = base.tensors.get(tables[0].tensor)!.data
  for (let i = 0; i < data.length; i++) data[i] = embedding[i] * gain[i % config.dim]
}

const haveSameShape = (a: ModelConfig, b: ModelConfig): boolean =>
  (['layers', 'ff', 'heads', 'kvHeads'] as const).every((size) => a[size] === b[size])

/** How much smaller the student's residual is than its base's, which begins far below one and ends far above. */
const SHRINK = 1.6

/**
 * The base's blocks, as far as the student's form has room for them: norms' gains go into what reads them, scores are in
 * octaves and know no rotation, SiLU is the line through it, x / 2. Blocks that stood behind each other stand side by side.
 */
function takeBlocks(
  config: ModelConfig,
  base: { config: ModelConfig; tensors: Tensors },
  masters: Tensors,
): void {
  const { layers, finalNorm } = graphOf(base.config)
  const tensor = (name: string): Float32Array => base.tensors.get(name)!.data
  const last = tensor(learned(finalNorm).gain)
  const meanLast = last.reduce((a, b) => a + b, 0) / last.length
  // What the first layer reads is the embedding times the last gain.
  const read = (gain: Float32Array, i: number): Float32Array =>
    i === 0 ? gain.map((g, j) => (g * meanLast) / last[j]) : gain
  const octaves = Math.sqrt(Math.LOG2E / Math.sqrt(config.dim / config.heads))
  graphOf(config).layers.forEach((own, i) => {
    const theirs = layers[i]
    const take = (to: Dense, from: Dense, by: number, gain?: Float32Array): void => {
      const data = tensor(from.weight)
      const target = masters.get(to.weight)!.data
      for (let at = 0; at < data.length; at++) target[at] = data[at] * by * (gain?.[at % from.inputs] ?? 1)
    }
    const attention = read(tensor(learned(theirs.attentionNorm).gain), i)
    const feedForward = read(tensor(learned(theirs.feedForwardNorm).gain), i)
    take(own.query, theirs.query, octaves, attention)
    take(own.key, theirs.key, octaves, attention)
    take(own.value, theirs.value, 1, attention)
    take(own.attentionOutput, theirs.attentionOutput, 1 / SHRINK)
    take(own.gate, theirs.gate, 1, feedForward)
    take(own.up!, theirs.up!, 1, feedForward)
    take(own.down, theirs.down, 0.5 / SHRINK)
  })
}

/** gain (x - mean) + shift, at the spread that rows of tables have on average; the shift goes to the last table. */
function foldNorm(
  config: ModelConfig,
  base: { config: ModelConfig; tensors: Tensors },
  masters: Tensors,
): void {
  const norm = graphOf(base.config).layers[0].attentionNorm
  if (norm.kind !== 'layer' || norm.shift === undefined) return
  const { dim } = config
  const gain = base.tensors.get(norm.gain)!.data
  const shift = base.tensors.get(norm.shift)!.data
  let spread = 0
  const names = graphOf(config).tables.map(({ tensor }) => tensor)
  names.forEach((name, i) => {
    const { data, shape } = masters.get(name)!
    for (let at = 0; at < data.length; at += dim) {
      const row = data.subarray(at, at + dim)
      const mean = row.reduce((a, b) => a + b) / dim
      row.forEach((value, j) => {
        row[j] = value - mean
      })
      if (i === 0) spread += Math.hypot(...row) / Math.sqrt(dim) / shape[0]
      row.forEach((value, j) => {
        row[j] = value * gain[j]
      })
    }
  })
  const { data } = masters.get(names[names.length - 1])!
  for (let i = 0; i < data.length; i++) data[i] += shift[i % dim] * spread
}
