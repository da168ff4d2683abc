/**
 * One canonical form for every supported architecture (encoders: see `lower-encoder.ts`): gains folded into the next matrix, LayerNorm's centring
 * folded into whatever writes to the residual stream (so that it is RMSNorm), attention's scale and log2(e) folded into
 * the query. What is left is `x·W` with row-major W [in, out], and biases.
 */
import {
  adapterName,
  headDim,
  isAdapted,
  isEncoder,
  type ModelConfig,
  type Tensors,
} from '../../../../model/architectures/config.ts'
import { merged } from '../../../../model/architectures/lora.ts'
import { encoderSources, lowerEncoder } from './lower-encoder.ts'
import { foldedBias } from './ranges.ts'

export type Visibility = 'public' | 'private'

/** A folded matrix, named `layer.role`. */
export interface LoweredMatrix {
  readonly name: string
  readonly k: number
  readonly n: number
  readonly data: Float64Array
}

export interface LoweredBias {
  readonly name: string
  readonly data: Float64Array
}

/** A folded matrix with its bias rows. */
export interface Lowered {
  readonly matrix: LoweredMatrix
  readonly bias?: LoweredBias
  /** Encoders' first feed-forward product: the bias of its residual columns, which come at another scale. */
  readonly residual?: LoweredBias
}

/** The matrices of a layer, and the ends of a model: these count as a last layer of their own. */
export const LAYER_ROLES = ['qkv', 'out', 'up', 'down'] as const
/** `pool`: what an encoder's head applies before its activation. */
export const END_ROLES = ['embed', 'head', 'pool'] as const
export type EndRole = (typeof END_ROLES)[number]
export type MatrixRole = (typeof LAYER_ROLES)[number] | EndRole
export const matrixName = (layer: number, role: MatrixRole): string => `${layer}.${role}`
/** Name of the bias of a matrix's residual columns. */
export const residualBias = (matrix: string): string => `${matrix}.residual`

export const isEnd = (role: MatrixRole): role is EndRole => (END_ROLES as readonly string[]).includes(role)

/** Every matrix of a model, by layer and role. */
export const allMatrices = (config: ModelConfig): { layer: number; role: MatrixRole }[] => [
  ...Array.from({ length: config.layers }, (_, layer) => LAYER_ROLES.map((role) => ({ layer, role }))).flat(),
  ...END_ROLES.filter((role) => role !== 'pool' || config.head).map((role) => ({
    layer: config.layers,
    role,
  })),
]

/** The tensors that one folded matrix (and its bias) is made from, adapters included. */
export function sources(config: ModelConfig, layer: number, role: MatrixRole): string[] {
  const base = baseSources(config, layer, role)
  const adapted = base.filter((name) => isAdapted(config, name))
  return [...base, ...adapted.flatMap((name) => [adapterName(name, 'A'), adapterName(name, 'B')])]
}

function baseSources(config: ModelConfig, layer: number, role: MatrixRole): string[] {
  if (isEncoder(config)) return encoderSources(config, layer, role)
  const head = (table: string): string => (config.tied ? table : 'lm_head.weight')
  if (config.arch === 'gpt2') {
    if (role === 'embed') return ['wte.weight', 'wpe.weight']
    if (role === 'head') return ['ln_f.weight', 'ln_f.bias', head('wte.weight')]
    const p = `h.${layer}.`
    const linear = (name: string): string[] => [`${p}${name}.weight`, `${p}${name}.bias`]
    const norm = (name: string): string[] => [`${p}${name}.weight`, `${p}${name}.bias`]
    if (role === 'qkv') return [...norm('ln_1'), ...linear('attn.c_attn')]
    if (role === 'out') return linear('attn.c_proj')
    return role === 'up' ? [...norm('ln_2'), ...linear('mlp.c_fc')] : linear('mlp.c_proj')
  }
  if (role === 'embed') return ['model.embed_tokens.weight']
  if (role === 'head') return ['model.norm.weight', head('model.embed_tokens.weight')]
  const p = `model.layers.${layer}.`
  const projections = (names: string[]): string[] => names.map((n) => `${p}${n}_proj.weight`)
  if (role === 'qkv')
    return [`${p}input_layernorm.weight`, ...projections(['self_attn.q', 'self_attn.k', 'self_attn.v'])]
  if (role === 'out') return projections(['self_attn.o'])
  return role === 'up'
    ? [`${p}post_attention_layernorm.weight`, ...projections(['mlp.gate', 'mlp.up'])]
    : projections(['mlp.down'])
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

/** Columns of transposed Hugging Face weights [out, in] side by side, times a row gain and a scale for each. */
function columns(
  inputs: number,
  parts: readonly { w: Float32Array; scale?: number }[],
  gain: Float32Array | undefined,
): { data: Float64Array; n: number } {
  const n = parts.reduce((sum, p) => sum + p.w.length / inputs, 0)
  const data = new Float64Array(inputs * n)
  let at = 0
  for (const { w, scale = 1 } of parts) {
    const outs = w.length / inputs
    for (let o = 0; o < outs; o++)
      for (let i = 0; i < inputs; i++) data[i * n + at + o] = w[o * inputs + i] * scale * (gain?.[i] ?? 1)
    at += outs
  }
  return { data, n }
}

/** Takes the mean off every row of length n, so that the product's rows sum to zero. */
export function centre(data: Float64Array, n: number): Float64Array {
  for (let r = 0; r < data.length; r += n) {
    let mean = 0
    for (let j = 0; j < n; j++) mean += data[r + j] / n
    for (let j = 0; j < n; j++) data[r + j] -= mean
  }
  return data
}

/** One folded matrix with its biases, if its tensors are at hand. */
export function lowerMatrix(config: ModelConfig, tensors: Tensors, layer: number, role: MatrixRole): Lowered {
  const name = matrixName(layer, role)
  const t = baseSources(config, layer, role).map((s) => merged(config, tensors, s))
  if (isEncoder(config)) return lowerEncoder(config, t, layer, role)
  const toLog2 = Math.LOG2E / Math.sqrt(headDim(config))
  const { dim, ff } = config
  if (role === 'embed') return { matrix: lowerEmbedding(name, config, t) }
  if (role === 'head') return lowerHead(name, config, t)
  if (config.arch === 'gpt2') return lowerGpt2(name, role, t, dim, ff, toLog2)
  const k = role === 'down' ? ff : dim
  const folded = role === 'qkv' || role === 'up'
  const parts = (folded ? t.slice(1) : t).map((w, i) => ({
    w,
    scale: role === 'qkv' && i === 0 ? toLog2 : 1,
  }))
  return { matrix: { name, k, ...columns(k, parts, folded ? t[0] : undefined) } }
}

function lowerGpt2(
  name: string,
  role: MatrixRole,
  t: Float32Array[],
  dim: number,
  ff: number,
  toLog2: number,
): Lowered {
  if (role === 'out' || role === 'down') {
    const data = centre(Float64Array.from(t[0]), dim)
    const bias = centre(Float64Array.from(t[1]), dim)
    return { matrix: { name, k: role === 'out' ? dim : ff, n: dim, data }, bias: { name, data: bias } }
  }
  const [gamma, beta, w, b] = t
  const n = role === 'qkv' ? 3 * dim : ff
  const scale = (j: number): number => (role === 'qkv' && j < dim ? toLog2 : 1)
  const data = Float64Array.from(w, (v, at) => v * gamma[Math.floor(at / n)] * scale(at % n))
  const bias = foldedBias(beta, w, b, n).map((v, j) => v * scale(j))
  return { matrix: { name, k: dim, n, data }, bias: { name, data: bias } }
}

/** The table itself, positions below the vocabulary where they are learned; LayerNorm models get centred rows. */
function lowerEmbedding(name: string, { dim, arch }: ModelConfig, tables: Float32Array[]): LoweredMatrix {
  const data = new Float64Array(tables.reduce((n, t) => n + t.length, 0))
  let at = 0
  for (const t of tables) {
    data.set(t, at)
    at += t.length
  }
  return { name, k: data.length / dim, n: dim, data: arch === 'gpt2' ? centre(data, dim) : data }
}

/** The final norm's gain (and shift, as a bias) folded into the output head. */
function lowerHead(name: string, { dim, vocab }: ModelConfig, t: Float32Array[]): Lowered {
  const table = t[t.length - 1]
  const matrix = { name, k: dim, ...columns(dim, [{ w: table }], t[0]) }
  if (t.length < 3) return { matrix }
  const data = new Float64Array(vocab)
  for (let id = 0; id < vocab; id++) for (let i = 0; i < dim; i++) data[id] += t[1][i] * table[id * dim + i]
  return { matrix, bias: { name, data } }
}
