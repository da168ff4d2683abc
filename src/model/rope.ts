/** Rotary positions: how fast each pair of a head's components turns. */
import { type ModelConfig, type RopeScaling, rotaryDim } from './architectures/config.ts'
import type { Floats } from './math.ts'

/** What the frequencies depend on. */
export type RotaryConfig = Pick<
  ModelConfig,
  'dim' | 'heads' | 'headDim' | 'rotaryDim' | 'localRotary' | 'context' | 'ropeTheta' | 'ropeScaling'
>

/**
 * Radians a position of each component pair, `[d / 2]`: theta^(-2i / d) (Su et al., RoFormer, 2021), then scaled as the
 * configuration says. Pair i joins component i and i + d / 2, with d the components of a head that turn. Of a layer
 * that has a base of its own, by that.
 */
export function rotaryFrequencies(config: RotaryConfig, layer?: number): Float64Array {
  const width = rotaryDim(config)
  const { localRotary: local } = config
  const own = layer !== undefined && local?.layers.includes(layer) ? local : undefined
  const ropeTheta = own?.theta ?? config.ropeTheta ?? 10000
  const scaling = own ? undefined : config.ropeScaling
  const base =
    scaling?.kind === 'dynamic' ? stretchedBase(ropeTheta, width, config.context, scaling) : ropeTheta
  const plain = Float64Array.from({ length: width / 2 }, (_, i) => base ** ((-2 * i) / width))
  if (scaling?.kind === 'linear') return plain.map((f) => f / scaling.factor)
  if (scaling?.kind === 'yarn') return byTurns(plain, ropeTheta, scaling)
  if (scaling?.kind === 'longrope') {
    const factors = config.context > scaling.original ? scaling.long : scaling.short
    return plain.map((f, i) => f / factors[i])
  }
  return scaling?.kind === 'llama3' ? plain.map((f) => byWavelength(f, scaling)) : plain
}

/** How many positions on either side a layer's rows see, where they don't see all. */
export const windowOf = (
  { localRotary: local }: Pick<ModelConfig, 'localRotary'>,
  layer: number,
): number | undefined => (local?.layers.includes(layer) ? local.window : undefined)

/** What stretched rotary positions multiply queries and keys by (Peng et al., YaRN, 2023, section 3.4). */
const stretch = ({ ropeScaling: s }: Pick<ModelConfig, 'ropeScaling'>): number =>
  s?.kind === 'yarn' || s?.kind === 'longrope' ? s.attention : 1

/** What is left of it for attention's scores, where all components turn: its square. */
export const scoreStretch = (config: Pick<ModelConfig, 'ropeScaling' | 'rotaryDim'>): number =>
  config.rotaryDim === undefined ? stretch(config) ** 2 : 1

/** And for the components themselves, of heads that turn in part. */
export const turnStretch = (config: Pick<ModelConfig, 'ropeScaling' | 'rotaryDim'>): number =>
  config.rotaryDim === undefined ? 1 : stretch(config)

/**
 * YaRN (Peng et al., 2023, section 3.2, "NTK-by-parts"): pairs that turn `fast` times or more within the original context
 * stay, those that turn `slow` times or fewer are interpolated, and between the two it changes over by the pair's number.
 */
function byTurns(
  plain: Float64Array,
  theta: number,
  { factor, original, fast, slow, truncate }: Extract<RopeScaling, { kind: 'yarn' }>,
): Float64Array {
  /** The pair, as a real number, that turns so often. */
  const pairOf = (turns: number): number =>
    (plain.length * Math.log(original / (turns * 2 * Math.PI))) / Math.log(theta)
  const [first, last] = [pairOf(fast), pairOf(slow)]
  const low = Math.max(0, truncate ? Math.floor(first) : first)
  const high = Math.min(2 * plain.length - 1, truncate ? Math.ceil(last) : last)
  return plain.map((f, i) => {
    const slowed = Math.min(1, Math.max(0, (i - low) / (high === low ? 0.001 : high - low)))
    return (f / factor) * slowed + f * (1 - slowed)
  })
}

/**
 * "NTK-aware" base for sequences of `length` positions: theta (s length / original - (s - 1))^(d / (d - 2)), theta
 * itself up to the original length. Elsewhere it follows the length seen so far; keys that are cached, or shared out,
 * can't be turned again, so here it is the base of a whole context from the first position on.
 */
function stretchedBase(
  theta: number,
  width: number,
  length: number,
  { factor, original }: Extract<RopeScaling, { kind: 'dynamic' }>,
): number {
  if (length <= original) return theta
  return theta * ((factor * length) / original - (factor - 1)) ** (width / (width - 2))
}

/**
 * Llama 3.1's rule: waves longer than original / low turn `factor` times slower, those shorter than original / high
 * stay, and between the two the frequency is interpolated.
 */
function byWavelength(
  frequency: number,
  { factor, low, high, original }: Extract<RopeScaling, { kind: 'llama3' }>,
): number {
  const turns = (original * frequency) / (2 * Math.PI)
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)))
  return frequency * (kept + (1 - kept) / factor)
}

/**
 * Rotary embedding in place on rows of heads, `[n, width]`, the first row at `position`: of the components of a head that
 * turn, number i of the first half turns with number i of the second (Hugging Face's `rotate_half`) by `frequencies[i]`
 * radians a position, and is multiplied by the amplitude. All components of a head turn where nothing else is said.
 */
export function rotate(
  x: Floats,
  frequencies: Float64Array,
  position: number,
  width: number,
  { headDim = 2 * frequencies.length, amplitude = 1 }: { headDim?: number; amplitude?: number } = {},
): void {
  const half = frequencies.length
  for (let row = 0; row < x.length; row += width, position++)
    for (let i = 0; i < half; i++) {
      const cos = amplitude * Math.cos(position * frequencies[i])
      const sin = amplitude * Math.sin(position * frequencies[i])
      for (let at = row + i; at < row + width; at += headDim) {
        const a = x[at]
        const b = x[at + half]
        x[at] = a * cos - b * sin
        x[at + half] = b * cos + a * sin
      }
    }
}
