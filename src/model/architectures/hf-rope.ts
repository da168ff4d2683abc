import type { ModelConfig, RopeScaling } from './config.ts'
import { type HfConfig, HfReader } from './hf-reader.ts'

/** Base and scaling of the rotary angles; `context` is `max_position_embeddings`. */
export function ropeFromHf(read: HfReader, context: number): Pick<ModelConfig, 'ropeTheta' | 'ropeScaling'> {
  // Newer files keep both in "rope_parameters".
  const both = read.json.rope_parameters as HfConfig | undefined
  const scaling = both ?? (read.json.rope_scaling as HfConfig | null | undefined)
  const ropeTheta = new HfReader({ rope_theta: 10000, ...read.json, ...both }, 'config.json').number(
    'rope_theta',
  )
  const ropeScaling = scaling ? scalingFromHf(read, scaling, context) : undefined
  return ropeScaling ? { ropeTheta, ropeScaling } : { ropeTheta }
}

/**
 * Components of a head `width` wide that turn; undefined where all do. `usual` is the part where the file says nothing, which
 * forms that turn all of a head do without.
 */
export function turnedFromHf(read: HfReader, width: number, usual: number | undefined): number | undefined {
  const key = 'partial_rotary_factor'
  const both = read.json.rope_parameters as HfConfig | undefined
  const part = Number(read.json[key] ?? both?.[key] ?? usual ?? 1)
  if (part === 1) return undefined
  if (usual === undefined)
    read.complain(`"${key}": ${part} is not supported: all components of a head must turn.`)
  // Hugging Face rounds down; a quotient that was written may be a little less than it was.
  const turned = Math.floor(width * part + 1e-6)
  if (!(turned > 0 && turned < width && turned % 2 === 0))
    read.complain(`"${key}" is ${part}, which does not make pairs of a head of ${width} components.`)
  return turned
}

function scalingFromHf(read: HfReader, json: HfConfig, context: number): RopeScaling | undefined {
  const kind = json.rope_type ?? json.type ?? 'default'
  const positive = (key: string, fallback?: number): number => {
    const value = json[key] ?? fallback
    if (typeof value !== 'number' || !(value > 0))
      read.complain(`"rope_scaling" needs a "${key}" above 0, not ${JSON.stringify(value)}.`)
    return value
  }
  if (kind === 'default') return undefined
  if (kind === 'linear') return { kind, factor: positive('factor') }
  const original = 'original_max_position_embeddings'
  if (kind === 'dynamic') return { kind, factor: positive('factor'), original: positive(original, context) }
  if (kind === 'llama3')
    return {
      kind,
      factor: positive('factor'),
      low: positive('low_freq_factor'),
      high: positive('high_freq_factor'),
      original: positive(original),
    }
  if (kind === 'yarn') return yarnFromHf(json, positive('factor'), positive(original, context))
  // Its older name is "su".
  if (kind === 'longrope' || kind === 'su') return longropeFromHf(read, json, context)
  return read.complain(
    `"rope_scaling" is of type ${JSON.stringify(kind)}; supported are default, linear, dynamic, llama3, yarn and longrope.`,
  )
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value > 0 ? value : undefined

/** Defaults are those of Hugging Face's `_compute_yarn_parameters`. */
function yarnFromHf(json: HfConfig, factor: number, original: number): RopeScaling {
  const amplitude = (scale = 1): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1)
  const [own, all] = [numberOf(json.mscale), numberOf(json.mscale_all_dim)]
  return {
    kind: 'yarn',
    factor,
    original,
    fast: numberOf(json.beta_fast) ?? 32,
    slow: numberOf(json.beta_slow) ?? 1,
    truncate: json.truncate !== false,
    attention:
      numberOf(json.attention_factor) ?? (own && all ? amplitude(own) / amplitude(all) : amplitude()),
  }
}

/** LongRoPE (Ding et al., 2024) as Phi-3 has it: what is longest stands in `max_position_embeddings`. */
function longropeFromHf(read: HfReader, json: HfConfig, context: number): RopeScaling {
  const original =
    numberOf(json.original_max_position_embeddings) ??
    numberOf(read.json.original_max_position_embeddings) ??
    read.complain('"rope_scaling" of type "longrope" needs "original_max_position_embeddings".')
  const factor = numberOf(json.factor) ?? context / original
  const factors = (key: string): number[] => {
    const list = json[key]
    if (!Array.isArray(list) || !list.every((value) => numberOf(value) !== undefined))
      read.complain(`"rope_scaling" needs a "${key}" of numbers above 0.`)
    return list
  }
  const stretched = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))
  return {
    kind: 'longrope',
    factor,
    original,
    attention: numberOf(json.attention_factor) ?? stretched,
    short: factors('short_factor'),
    long: factors('long_factor'),
  }
}

/** As `ropeFromHf` reads it back. */
export function ropeToHf({ ropeTheta, ropeScaling: s }: ModelConfig): HfConfig {
  if (!s) return { rope_theta: ropeTheta }
  const original = s.kind === 'linear' ? {} : { original_max_position_embeddings: s.original }
  return {
    rope_theta: ropeTheta,
    rope_scaling: { rope_type: s.kind, factor: s.factor, ...ownToHf(s), ...original },
  }
}

function ownToHf(s: RopeScaling): HfConfig {
  if (s.kind === 'llama3') return { low_freq_factor: s.low, high_freq_factor: s.high }
  if (s.kind === 'yarn')
    return { beta_fast: s.fast, beta_slow: s.slow, truncate: s.truncate, attention_factor: s.attention }
  if (s.kind === 'longrope')
    return { short_factor: s.short, long_factor: s.long, attention_factor: s.attention }
  return {}
}

/**
 * Positions that a rotary model has where `longest` is its `max_position_embeddings`; and those that its scaling reaches,
 * where somebody asks for a context.
 */
export function positionsOf(
  { asked }: HfReader,
  { ropeScaling: s }: Pick<ModelConfig, 'ropeScaling'>,
  longest: number,
): number {
  // Beyond its original context such a model turns by other factors, from the first token on.
  const usual = s?.kind === 'longrope' ? Math.min(longest, s.original) : longest
  const isStretched = s?.kind === 'dynamic' || s?.kind === 'yarn' || s?.kind === 'longrope'
  return isStretched && asked !== undefined ? Math.max(usual, s.original * s.factor) : usual
}
