import type { ModelConfig, RopeScaling } from './config.ts'
import { type HfConfig, HfReader } from './hf-reader.ts'

/** Base and scaling of the rotary angles; `context` is `max_position_embeddings`. */
export function ropeFromHf(read: HfReader, context: number): Pick<ModelConfig, 'ropeTheta' | 'ropeScaling'> {
  if ((read.json.partial_rotary_factor ?? 1) !== 1)
    read.refuse('partial_rotary_factor', 'all components of a head must turn')
  // Newer files keep both in "rope_parameters".
  const both = read.json.rope_parameters as HfConfig | undefined
  const scaling = both ?? (read.json.rope_scaling as HfConfig | null | undefined)
  const ropeTheta = new HfReader({ rope_theta: 10000, ...read.json, ...both }, 'config.json').number(
    'rope_theta',
  )
  const ropeScaling = scaling ? scalingFromHf(read, scaling, context) : undefined
  return ropeScaling ? { ropeTheta, ropeScaling } : { ropeTheta }
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
  return read.complain(
    `"rope_scaling" is of type ${JSON.stringify(kind)}; supported are default, linear, dynamic and llama3.`,
  )
}

/** As `ropeFromHf` reads it back. */
export function ropeToHf({ ropeTheta, ropeScaling: s }: ModelConfig): HfConfig {
  if (!s) return { rope_theta: ropeTheta }
  const bounds = s.kind === 'llama3' ? { low_freq_factor: s.low, high_freq_factor: s.high } : {}
  const original = s.kind === 'linear' ? {} : { original_max_position_embeddings: s.original }
  return {
    rope_theta: ropeTheta,
    rope_scaling: { rope_type: s.kind, factor: s.factor, ...bounds, ...original },
  }
}
