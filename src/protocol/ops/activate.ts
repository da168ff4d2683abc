import type { Opened, PlanBuilder, Share, Slot } from '../plan.ts'
import { bitsAt, fromFloats, type Lanes, lowBits, maskOf, signed } from '../ring.ts'
import { basis, Fitter } from '../tables/fit.ts'
import { publicOf } from './open.ts'
import { tableBits } from './table.ts'

export interface ActivationOptions {
  readonly f: (x: number) => number
  /** log2 of the number of segments over g's opened range. */
  readonly entryBits: number
  readonly degree: number
  /** Fraction bits of the coefficients and of the public basis. */
  readonly coefficientBits: number
  readonly basisBits: number
  readonly ring: number
}

/**
 * f(g), or f(g)·u for an opened liftable u, by a table of polynomials over the segments of g. For the product the
 * dealer also tabulates each coefficient times rho_u and times rho_u's top bit: f·u = A f - f rho + 2^d B f top, so f
 * itself is never opened. rows x width, mod 2^ring, fraction coefficientBits + basisBits (+ u's). No message.
 */
export function activate(plan: PlanBuilder, g: Opened, u: Opened | undefined, o: ActivationOptions): Share {
  const fitter = new Fitter(o.degree)
  const n = fitter.words
  const entries = 1 << o.entryBits
  const shift = g.ring - o.entryBits
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
  const unit = 2 ** -g.frac
  const scale = 2 ** o.coefficientBits
  const size = 2 ** g.ring
  /** Coefficients for arguments from `low` mod 2^ring on, read as signed. */
  const coefficients = (low: number, out: Float64Array, at: number): void => {
    const from = low % size
    fitter.fit(o.f, (from < size / 2 ? from : from - size) * unit, 2 ** shift * unit, scale, out, at)
  }

  /** Dots of each element's words with the public basis at D's low bits. */
  const dots = (D: Lanes, words: Lanes, stride: number, from: number): Lanes => {
    const out = new BigUint64Array(D.length)
    const b = new Float64Array(D.length * n)
    const low = lowBits(D, shift)
    for (let i = 0; i < D.length; i++) basis(low[i] / 2 ** shift, n, 2 ** o.basisBits, b, i * n)
    const t = fromFloats(b)
    for (let i = 0; i < D.length; i++)
      for (let k = 0; k < n; k++)
        out[i] = BigInt.asUintN(64, out[i] + BigInt.asUintN(64, words[i * stride + from + k] * t[i * n + k]))
    return out
  }
  const ring = o.ring
  const m = maskOf(ring)
  const frac = o.coefficientBits + o.basisBits + (u?.frac ?? 0)
  return plan.step<Share>(
    'activate',
    { kind: 'share', layout, width, ring, frac },
    u ? [g, u] : [g],
    (id) => ({
      slots: u ? [main, top] : [main],
      deal(ctx) {
        const a = ctx.mask(g)
              const offsets = lowBits(a, g.ring)
      const c = new Float64Array(a.length * entries * n)
      for (let i = 0; i < a.length; i++)
        for (let e = 0; e < entries; e++) coefficients(e * 2 ** shift + offsets[i], c, (i * entries + e) * n)
        const f = fromFloats(c)
        if (!u) return [f]
        const au = ctx.mask(u)
        const md = maskOf(u.ring)
        const half = 1n << BigInt(u.ring - 1)
        const pairs = new BigUint64Array(2 * f.length)
        const tops = new BigUint64Array(f.length)
        const per = entries * n
        for (let i = 0; i < a.length; i++) {
          const rho = BigInt.asUintN(64, -au[i]) & md
          const isTop = rho >= half
          for (let w = 0; w < per; w++) {
            const at = i * per + w
            const to = (at - (w % n)) * 2 + (w % n)
            pairs[to] = f[at]
            pairs[to + n] = BigInt.asUintN(64, f[at] * rho)
            if (isTop) tops[at] = f[at]
          }
        }
        return [pairs, tops]
      },
      run(ctx) {
        const D = ctx.get(g)
              const index = bitsAt(D, shift, o.entryBits)
        const words = ctx.lookup(id, main, index)
        const f = dots(D, words, mainWords, 0)
        const out = new BigUint64Array(D.length)
        if (!u) {
          for (let i = 0; i < out.length; i++) out[i] = f[i] & m
          return out
        }
        const rho = dots(D, words, mainWords, n)
        const tops = dots(D, ctx.lookup(id, top, index), n, 0)
        const Du = ctx.get(u)
        const half = 1n << BigInt(u.ring - 1)
        const lift = 1n << BigInt(u.ring)
        const offset = u.offset
        for (let i = 0; i < out.length; i++) {
          const A = BigInt.asUintN(64, Du[i] - offset)
          const wrap = Du[i] < half ? lift : 0n
          const own = BigInt.asUintN(64, BigInt.asUintN(64, A * f[i]) - rho[i])
          out[i] = BigInt.asUintN(64, own + BigInt.asUintN(64, wrap * tops[i])) & m
        }
        return out
      },
      plain(ctx) {
        const D = publicOf(ctx, g)
        const a = ctx.mask(g)
        const c = new Float64Array(D.length * n)
        for (let i = 0; i < D.length; i++) {
          const base = (D[i] >> BigInt(shift)) << BigInt(shift)
          coefficients(Number(BigInt.asUintN(64, base + a[i]) & maskOf(g.ring)), c, i * n)
        }
        const f = dots(D, fromFloats(c), n, 0)
        const out = new BigUint64Array(D.length)
        const value = u ? ctx.get(u) : undefined
        for (let i = 0; i < out.length; i++) {
          const y = u && value ? BigInt.asUintN(64, signed(value[i], u.ring)) : 1n
          out[i] = BigInt.asUintN(64, f[i] * y) & m
        }
        return out
      },
    }),
  )
}
