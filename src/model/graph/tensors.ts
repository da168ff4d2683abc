/** The tensors of a model, by name and shape. */
import { embeddingWidth, headDim, type ModelConfig } from '../architectures/config.ts'
import { architectureOf } from '../architectures/registry.ts'
import type { Dense, Head, Layer, ModelGraph, Norm } from './graph.ts'
import { graphOf } from './graph-of.ts'
import { adapterName, isAdapted } from './lora.ts'

/** Name and shape of every tensor of a model, in canonical order: of each table, norm and matrix, then of the adapters. */
export function tensorShapes(config: ModelConfig): Map<string, number[]> {
  const shapes = new Map<string, number[]>()
  const { layers } = graphOf(config)
  for (const [name, shape] of baseShapes(config)) shapes.set(name, shape)
  if (!config.lora) return shapes
  const { rank } = config.lora
  for (const { weight, inputs, outputs, part } of layers.flatMap(matricesOf)) {
    if (!isAdapted(config, weight)) continue
    shapes.set(adapterName(weight, 'A'), [rank, inputs])
    shapes.set(adapterName(weight, 'B'), [part?.of ?? outputs, rank])
  }
  return shapes
}

/** The products of a layer, in the order that they are stored. */
export const matricesOf = (layer: Layer): Dense[] => [
  layer.query,
  layer.key,
  layer.value,
  layer.attentionOutput,
  layer.gate,
  ...(layer.up ? [layer.up] : []),
  layer.down,
]

/** Names of a norm's tensors. */
export function normTensors(norm: Norm): string[] {
  if (norm.kind === 'layer') return norm.shift === undefined ? [norm.gain] : [norm.gain, norm.shift]
  return norm.kind === 'rms' ? [norm.gain] : []
}

/** Names of a dense layer's tensors. */
export const denseTensors = ({ weight, bias }: Dense): string[] => (bias ? [weight, bias] : [weight])

/** Names of the tensors that a head has for itself; a tied output matrix is the embedding's. */
export function headTensors({ head, tables }: ModelGraph): string[] {
  if (head.kind === 'none') return []
  if (head.kind === 'labels')
    return [
      ...(head.pool ? denseTensors(head.pool) : []),
      ...(head.poolNorm ? normTensors(head.poolNorm) : []),
      ...denseTensors(head.output),
    ]
  const { transform, output } = head
  const own = transform ? [...denseTensors(transform.dense), ...normTensors(transform.norm)] : []
  if (head.kind === 'tags') return [...own, ...denseTensors(output)]
  if (output.bias) own.push(output.bias)
  return output.weight === tables[0].tensor ? own : [...own, output.weight]
}

/**
 * Whether a tensor belongs to a layer, by its name alone: adapters do, what a checkpoint has too many, and names without
 * the model's prefix.
 */
export function isOfLayer(config: Pick<ModelConfig, 'arch'>, name: string): boolean {
  const list = architectureOf(config).tensors.layers.split('.').at(-1)
  return new RegExp(`(^|\\.)${list}\\.\\d+\\.`).test(name)
}

function baseShapes(config: ModelConfig): Map<string, number[]> {
  const { dim } = config
  const graph = graphOf(config)
  const shapes = new Map<string, number[]>()
  const norm = (n: Norm, width = dim): void => {
    for (const name of normTensors(n)) shapes.set(name, [width])
  }
  const dense = ({ weight, bias, inputs, outputs, layout, part }: Dense): void => {
    const all = part?.of ?? outputs
    shapes.set(weight, layout === 'out-in' ? [all, inputs] : [inputs, all])
    if (bias) shapes.set(bias, [all])
  }
  const head = (h: Head): void => {
    if (h.kind === 'none') return
    if (h.kind === 'labels') {
      if (h.pool) dense(h.pool)
      if (h.poolNorm) norm(h.poolNorm)
    } else if (h.transform) {
      dense(h.transform.dense)
      norm(h.transform.norm)
    }
    if (h.kind !== 'tokens') {
      dense(h.output)
      return
    }
    // The order of older bundles.
    if (h.output.bias) shapes.set(h.output.bias, [h.output.outputs])
    if (!shapes.has(h.output.weight)) shapes.set(h.output.weight, [h.output.outputs, dim])
  }
  const width = embeddingWidth(config)
  for (const { tensor, rows } of graph.tables) shapes.set(tensor, [rows, width])
  norm(graph.embeddingNorm, width)
  if (graph.projection) dense(graph.projection)
  for (const l of graph.layers) {
    norm(l.attentionNorm)
    for (const d of [l.query, l.key, l.value, l.attentionOutput]) dense(d)
    for (const n of [l.queryNorm, l.keyNorm]) if (n) norm(n, headDim(config))
    if (l.attentionOutputNorm) norm(l.attentionOutputNorm)
    norm(l.feedForwardNorm)
    for (const d of l.up ? [l.gate, l.up, l.down] : [l.gate, l.down]) dense(d)
    if (l.downNorm) norm(l.downNorm)
  }
  norm(graph.finalNorm)
  head(graph.head)
  return shapes
}
