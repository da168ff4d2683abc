import type { PlanBuilder } from '../plan.ts'
import { fromFloats, type Lanes, maskOf } from '../ring.ts'
import { finer } from '../scale.ts'
import { firstRow, type Shape } from '../shape.ts'
import { type Share, share } from '../values.ts'

export interface RotaryOptions {
  readonly headDim: number
  /** Radians a position of each of a head's headDim / 2 pairs. */
  readonly frequencies: Float64Array
  /** Fraction bits of the public cos and sin. */
  readonly frac: number
}

/**
 * Rotary positions (Su et al. 2021, RoFormer, section 3.2.2) on shares, by public integers cos and sin. Pairs are (i, i
 * + headDim/2), as Hugging Face's LLaMA has them. rows x width, in x's ring; `frac` fraction bits more. No message.
 */
export function rotary(plan: PlanBuilder, x: Share, o: RotaryOptions): Share {
  const half = o.headDim / 2
  const m = maskOf(x.ring)
  const turn = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    const first = firstRow(shape, x.layout)
    for (let r = first; r < shape.rows; r++) {
      const { cos, sin } = angles(shape.base + r, o.frequencies, o.frac)
      for (let h = 0; h < x.width; h += o.headDim)
        for (let i = 0; i < half; i++) {
          const at = (r - first) * x.width + h + i
          const e = v[at]
          const f = v[at + half]
          out[at] = BigInt.asUintN(64, BigInt.asUintN(64, e * cos[i]) - BigInt.asUintN(64, f * sin[i])) & m
          out[at + half] =
            BigInt.asUintN(64, BigInt.asUintN(64, e * sin[i]) + BigInt.asUintN(64, f * cos[i])) & m
        }
    }
    return out
  }
  return plan.step<Share>('rotary', share({ ...x, scale: finer(x.scale, o.frac) }), [x], () => ({
    run: (ctx) => turn(ctx.shape, ctx.get(x)),
    oracle: (ctx) => turn(ctx.shape, ctx.get(x)),
  }))
}

function angles(position: number, frequencies: Float64Array, frac: number): { cos: Lanes; sin: Lanes } {
  const c = new Float64Array(frequencies.length)
  const s = new Float64Array(frequencies.length)
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i]
    c[i] = Math.round(Math.cos(angle) * 2 ** frac)
    s[i] = Math.round(Math.sin(angle) * 2 ** frac)
  }
  return { cos: fromFloats(c), sin: fromFloats(s) }
}
