import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
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

/** gain (x - mean) + shift, at the spread that rows of tables have on average; the shift goes to the last table. */
function foldNorm(
  config: ModelConfig,
  base: { config: ModelConfig; tensors: Tensors },
  masters: Tensors,
): void {
  const norm = graphOf(base.config).layers[0].attentionNorm
  if (norm.kind !== 'layer') return
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
