import type { PlanBuilder } from '../plan.ts'
import { fromFloats, type Lanes, maskOf } from '../ring.ts'
import { finer } from '../scale.ts'
import { firstRow, positionOf, type Shape } from '../shape.ts'
import { type Share, share } from '../values.ts'

export interface RotaryOptions {
  readonly headDim: number
  /** Radians a position of each of a head's pairs: headDim / 2 of them, or fewer, where the last components don't turn. */
  readonly frequencies: Float64Array
  /** What cos and sin are multiplied by; 1 where nothing is said. */
  readonly amplitude?: number
  /** Fraction bits of the public cos and sin. */
  readonly frac: number
}

/**
 * Rotary positions (Su et al. 2021, RoFormer, section 3.2.2) on shares, by public integers cos and sin. Of n pairs number
 * i is (i, i + n), as Hugging Face's LLaMA has them. rows x width, in x's ring; `frac` fraction bits more. No message.
 */
export function rotary(plan: PlanBuilder, x: Share, o: RotaryOptions): Share {
  const half = o.frequencies.length
  const unit = 1n << BigInt(o.frac)
  const m = maskOf(x.ring)
  const turn = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    const first = firstRow(shape, x.layout)
    for (let r = first; r < shape.rows; r++) {
      const { cos, sin } = angles(positionOf(shape, r), o)
      for (let h = 0; h < x.width; h += o.headDim) {
        for (let i = 0; i < half; i++) {
          const at = (r - first) * x.width + h + i
          const e = v[at]
          const f = v[at + half]
          out[at] = BigInt.asUintN(64, BigInt.asUintN(64, e * cos[i]) - BigInt.asUintN(64, f * sin[i])) & m
          out[at + half] =
            BigInt.asUintN(64, BigInt.asUintN(64, e * sin[i]) + BigInt.asUintN(64, f * cos[i])) & m
        }
        for (let i = 2 * half; i < o.headDim; i++) {
          const at = (r - first) * x.width + h + i
          out[at] = BigInt.asUintN(64, v[at] * unit) & m
        }
      }
    }
    return out
  }
  return plan.step<Share>('rotary', share({ ...x, scale: finer(x.scale, o.frac) }), [x], () => ({
    run: (ctx) => turn(ctx.shape, ctx.get(x)),
    oracle: (ctx) => turn(ctx.shape, ctx.get(x)),
  }))
}

function angles(
  position: number,
  { frequencies, frac, amplitude = 1 }: RotaryOptions,
): { cos: Lanes; sin: Lanes } {
  const unit = amplitude * 2 ** frac
  const c = new Float64Array(frequencies.length)
  const s = new Float64Array(frequencies.length)
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i]
    c[i] = Math.round(Math.cos(angle) * unit)
    s[i] = Math.round(Math.sin(angle) * unit)
  }
  return { cos: fromFloats(c), sin: fromFloats(s) }
}
