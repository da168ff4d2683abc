/**
 * The matrices that a plan multiplies by, and the tensors that each is made from. Every architecture has the same ones:
 * a layer's products, and the model's ends, which count as a last layer of their own.
 */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import type { Dense, LearnedNorm, Norm } from '../../../../model/graph/graph.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { adapterName, isAdapted } from '../../../../model/graph/lora.ts'
import { denseTensors, normTensors } from '../../../../model/graph/tensors.ts'

/**
 * Matrices of a layer: queries, keys and values; their output; the first and the second feed-forward product.
 */
export const LAYER_ROLES = ['qkv', 'out', 'up', 'down'] as const
/** `pool`: what an encoder's head applies before its activation. */
export const END_ROLES = ['embed', 'head', 'pool'] as const
/** Matrices that are no layer's. */
export type EndRole = (typeof END_ROLES)[number]
/** What a matrix of the lowered model is for. */
export type MatrixRole = (typeof LAYER_ROLES)[number] | EndRole

/** A matrix's name in a plan. */
export const matrixName = (layer: number, role: MatrixRole): string => `${layer}.${role}`
/** Name of the bias of a matrix's residual columns. */
export const residualBias = (matrix: string): string => `${matrix}.residual`

/** Whether a role is no layer's. */
export const isEnd = (role: MatrixRole): role is EndRole => (END_ROLES as readonly string[]).includes(role)

/** Every matrix of a model, by layer and role. */
export function allMatrices(config: ModelConfig): { layer: number; role: MatrixRole }[] {
  const { layers } = graphOf(config)
  const pool = hasPool(config)
  return [
    ...layers.flatMap((_, layer) => LAYER_ROLES.map((role) => ({ layer, role }))),
    ...END_ROLES.filter((role) => role !== 'pool' || pool).map((role) => ({ layer: layers.length, role })),
  ]
}

/** Whether a model's head begins with a dense layer and its activation. */
export function hasPool(config: ModelConfig): boolean {
  const { head } = graphOf(config)
  return head.kind === 'labels' || (head.kind !== 'none' && head.transform !== undefined)
}

/** What a matrix is folded from: dense layers side by side behind a norm, a norm alone, or the embedding's tables. */
export interface MatrixParts {
  readonly norm?: Norm
  readonly dense: readonly Dense[]
  /** Norms of what the first dense layers make: of the heads of queries and keys, or of what a block adds. */
  readonly ownNorms?: readonly LearnedNorm[]
  readonly tables: readonly string[]
}

/** Throws for a role that the model does not have. */
export function matrixParts(config: ModelConfig, layer: number, role: MatrixRole): MatrixParts {
  const { layers, tables, head, finalNorm, embeddingNorm, projection } = graphOf(config)
  const parts = (dense: readonly (Dense | undefined)[], norm?: Norm): MatrixParts => ({
    norm,
    dense: dense.filter((d) => d !== undefined),
    tables: [],
  })
  if (role === 'embed') {
    const names = tables.map(({ tensor }) => tensor)
    return projection
      ? { norm: embeddingNorm, dense: [projection], tables: names }
      : { dense: [], tables: names }
  }
  if (isEnd(role)) {
    if (head.kind === 'none' && role === 'head') return parts([], finalNorm)
    if (head.kind === 'labels')
      return role === 'pool' ? parts([head.pool], finalNorm) : parts([head.output], head.poolNorm)
    if (head.kind !== 'none' && role === 'head')
      return parts([head.output], head.transform?.norm ?? finalNorm)
    if (head.kind !== 'none' && head.transform) return parts([head.transform.dense], finalNorm)
    throw new RangeError(`The model has no matrix "${role}".`)
  }
  const l = layers[layer]
  if (role === 'qkv') {
    return { ...parts([l.query, l.key, l.value], l.attentionNorm), ownNorms: normsOf(l.queryNorm, l.keyNorm) }
  }
  if (role === 'out') return { ...parts([l.attentionOutput]), ownNorms: normsOf(l.attentionOutputNorm) }
  return role === 'up'
    ? parts([l.gate, l.up], l.feedForwardNorm)
    : { ...parts([l.down]), ownNorms: normsOf(l.downNorm) }
}

const normsOf = (...norms: (LearnedNorm | undefined)[]): LearnedNorm[] =>
  norms.filter((norm) => norm !== undefined)

/** Whether a folded matrix comes with a bias row: its layers', or what a norm's shift becomes. */
export function hasBias(config: ModelConfig, layer: number, role: MatrixRole): boolean {
  const { norm, dense } = matrixParts(config, layer, role)
  return (norm?.kind === 'layer' && norm.shift !== undefined) || dense.some(({ bias }) => bias !== undefined)
}

/** The tensors that one folded matrix (and its bias) is made from, adapters included. */
export function sources(config: ModelConfig, layer: number, role: MatrixRole): string[] {
  const { norm, dense, tables, ownNorms = [] } = matrixParts(config, layer, role)
  const norms = [...(norm ? [norm] : []), ...ownNorms]
  const base = [...new Set([...norms.flatMap(normTensors), ...dense.flatMap(denseTensors), ...tables])]
  const adapted = base.filter((name) => isAdapted(config, name))
  return [...base, ...adapted.flatMap((name) => [adapterName(name, 'A'), adapterName(name, 'B')])]
}

/** A folded matrix is public only if everything in it is. */
export const matrixVisibility = (
  config: ModelConfig,
  layer: number,
  role: MatrixRole,
  isPublic: (tensor: string) => boolean,
): Visibility => (sources(config, layer, role).every(isPublic) ? 'public' : 'private')

/**
 * Whether a public tensor is in private matrices only, so that data owners have no use for it: a base model's weights
 * under private adapters.
 */
export function foldedAway(
  config: ModelConfig,
  isPublic: (tensor: string) => boolean,
): (tensor: string) => boolean {
  const used = allMatrices(config)
    .map(({ layer, role }) => sources(config, layer, role))
    .filter((tensors) => tensors.every(isPublic))
  const needed = new Set(used.flat())
  return (tensor) => isPublic(tensor) && !needed.has(tensor)
}
