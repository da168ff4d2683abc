import type { PolynomialSpec } from '../../../kernels/polynomials.ts'
import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { add, bitsAt, clearLow, inBlocks, type Lanes, lowBits, maskOf, reduce, signed } from '../ring.ts'
import { finer, UNSCALED } from '../scale.ts'
import type { Rotations } from '../tables/rotations.ts'
import { segmentsOf } from '../tables/segments.ts'
import { type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'
import { tableBits } from './parts/table-bits.ts'

export interface ActivationOptions {
  readonly f: (x: number) => number
  /** Arguments are within +-limit. */
  readonly limit: number
  /** log2 of the number of segments over g's opened range. */
  readonly entryBits: number
  readonly degree: number
  /** Fraction bits of the coefficients and of the public basis. */
  readonly coefficientBits: number
  readonly basisBits: number
  readonly ring: number
}

/** Dealt words of `activate` for one value, of f(g) alone: a polynomial's coefficients for each entry. */
export const activationWords = ({
  entryBits,
  degree,
}: Pick<ActivationOptions, 'entryBits' | 'degree'>): number => 2 ** entryBits * (degree + 1)

/**
 * f(g), or f(g)·u for an opened liftable u, by a table of polynomials over the segments of g. For the product the
 * dealer also tabulates each coefficient times rho_u and times rho_u's top bit: f·u = A f - f rho + 2^d B f top, so f
 * itself is never opened. rows x width, mod 2^ring, fraction coefficientBits + basisBits (+ u's). No message.
 */
export function activate(plan: PlanBuilder, g: Opened, u: Opened | undefined, o: ActivationOptions): Share {
  const { entryBits, degree, coefficientBits: scale } = o
  const segments = segmentsOf(o.f, {
    ring: g.ring,
    frac: g.scale.bits,
    entryBits,
    degree,
    scale,
    limit: o.limit,
  })
  const n = segments.spec.words
  const entries = 1 << entryBits
  const shift = g.ring - entryBits
  const { layout, width } = g
  const mainWords = u ? 2 * n : n
  const main: Slot = {
    name: 'main',
    layout,
    width,
    entries,
    words: mainWords,
    bits: tableBits(o.ring, mainWords),
  }
  const topBits = tableBits(o.ring - (u?.ring ?? 0), n)
  const top: Slot = { name: 'top', layout, width, entries, words: n, bits: topBits }

  /** `groups` polynomials of each element of D, at its low bits. */
  const at = (groups: number): PolynomialSpec => ({ n, groups, shift, scale: o.basisBits })
  const m = maskOf(o.ring)
  const product = finer(u?.scale ?? UNSCALED, scale + o.basisBits)
  return plan.step<Share>(
    'activate',
    share({ layout, width, ring: o.ring, scale: product }),
    u ? [g, u] : [g],
    (id) => ({
      slots: u ? [main, top] : [main],
      prepare: () => segments.prepare(),
      deal(ctx) {
        const a = bitsAt(ctx.mask(g), 0, g.ring)
        if (!u) return [segments.dealt(a)]
        return timesMask(segments, a, ctx.mask(u), u.ring)
      },
      run: (ctx) =>
        inBlocks(ctx.get(g), ctx, (D, first) => {
          const index = bitsAt(D, shift, entryBits)
          const words = ctx.lookup(id, main, index, first)
          const f = ctx.kernels.polynomials(D, words, at(u ? 2 : 1))
          if (!u) return reduce(f, o.ring)
          const tops = ctx.kernels.polynomials(D, ctx.lookup(id, top, index, first), at(1))
          const out = new BigUint64Array(D.length)
          const Du = ctx.get(u)
          const half = 1n << BigInt(u.ring - 1)
          const lift = 1n << BigInt(u.ring)
          const offset = u.offset
          for (let i = 0; i < out.length; i++) {
            const d = Du[first + i]
            const A = BigInt.asUintN(64, d - offset)
            const wrap = d < half ? lift : 0n
            // f and f rho, one beside the other
            const own = BigInt.asUintN(64, BigInt.asUintN(64, A * f[2 * i]) - f[2 * i + 1])
            out[i] = BigInt.asUintN(64, own + BigInt.asUintN(64, wrap * tops[i])) & m
          }
          return out
        }),
      oracle(ctx) {
        const D = publicOf(ctx, g)
        const limit = o.limit * 2 ** g.scale.bits
        if (ctx.get(g).some((v) => Math.abs(Number(signed(v, g.ring))) > limit))
          ctx.violation(id, 'an activation input is outside its table')
        const rests = lowBits(ctx.mask(g), shift)
        // The segment in use starts at D's high part plus the mask; what the mask adds to the low part moves its border.
        const start = lowBits(add(clearLow(D, shift), ctx.mask(g), g.ring), g.ring)
        const c = new BigUint64Array(D.length * n)
        for (let i = 0; i < D.length; i++) {
          const k = Math.floor(start[i] / 2 ** shift) * n
          c.set(segments.at(rests[i]).subarray(k, k + n), i * n)
        }
        const f = ctx.kernels.polynomials(D, c, at(1))
        if (!u) return reduce(f, o.ring)
        const value = ctx.get(u)
        for (let i = 0; i < f.length; i++)
          f[i] = BigInt.asUintN(64, f[i] * BigInt.asUintN(64, signed(value[i], u.ring))) & m
        return f
      },
    }),
  )
}

/**
 * The coefficients beside themselves times rho = -b mod 2^d (n and n words an entry), and where rho's top bit is set.
 */
function timesMask(segments: Rotations, a: Uint32Array, b: Lanes, d: number): [DealtRows, DealtRows] {
  const { entries, words: n } = segments.spec
  const per = entries * n
  const rho = b.map((v) => BigInt.asUintN(d, -v))
  const half = 1n << BigInt(d - 1)
  const beside: DealtRows = {
    fill(first, count, out) {
      const f = new BigUint64Array(count * per)
      segments.fill(a, first, count, f)
      for (let i = 0, at = 0; i < count; i++) {
        const r = rho[first + i]
        for (const end = at + per; at < end; at += n)
          for (let k = 0; k < n; k++) {
            out[2 * at + k] = f[at + k]
            out[2 * at + n + k] = BigInt.asUintN(64, f[at + k] * r)
          }
      }
    },
  }
  const tops: DealtRows = {
    fill(first, count, out) {
      segments.fill(a, first, count, out)
      for (let i = 0; i < count; i++) if (rho[first + i] < half) out.fill(0n, i * per, (i + 1) * per)
    },
  }
  return [beside, tops]
}
