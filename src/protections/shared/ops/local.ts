/** Steps that each party does to its own share, without a message. */
import { program } from '../../../kernels/program.ts'
import type { PlanBuilder, Role, Share } from '../plan.ts'
import * as ring from '../ring.ts'
import { type Lanes, maskOf, signed } from '../ring.ts'
import { count, firstRow, rowLayout, rowsOf, type Shape, span } from '../shape.ts'
import { perRole } from './operands.ts'

/** x + y in the smaller of the two rings. */
export function add(plan: PlanBuilder, x: Share, y: Share): Share {
  const k = Math.min(x.ring, y.ring)
  const { layout, width, frac } = x
  if (y.frac !== frac || y.width !== width) throw new RangeError('add: operands differ in scale or width')
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.lanes()), k))])
  return plan.step<Share>('add', { kind: 'share', layout, width, frac, ring: k }, [x, y], () => ({
    run: (ctx) => ctx.evaluate(sum, [ctx.get(x), ctx.get(y)], ctx.get(x).length)[0],
    plain: (ctx) => ring.add(ctx.get(x), ctx.get(y), k),
  }))
}

/** Columns from..from+width-1 of every row. */
export function slice(plan: PlanBuilder, x: Share, from: number, width: number, k = x.ring): Share {
  const cut = (shape: Shape, v: Lanes): Lanes => {
    const rows = rowsOf(shape, x.layout)
    const out = new BigUint64Array(rows * width)
    for (let r = 0; r < rows; r++)
      out.set(v.subarray(r * x.width + from, r * x.width + from + width), r * width)
    return k < x.ring ? ring.reduce(out, k) : out
  }
  return plan.step<Share>(
    'slice',
    { kind: 'share', layout: x.layout, width, frac: x.frac, ring: k },
    [x],
    () => ({
      run: (ctx) => cut(ctx.shape, ctx.get(x)),
      plain: (ctx) => cut(ctx.shape, ctx.get(x)),
    }),
  )
}

/** The last row alone. */
export function lastRow(plan: PlanBuilder, x: Share): Share {
  const { width, frac, ring: k } = x
  const cut = (v: Lanes): Lanes => v.slice(v.length - width)
  return plan.step<Share>('last', { kind: 'share', layout: 'last', width, frac, ring: k }, [x], () => ({
    run: (ctx) => cut(ctx.get(x)),
    plain: (ctx) => cut(ctx.get(x)),
  }))
}

/** Adds a bias row (already at x's scale) to every row: the server's, or the sum of what the parties in `by` hold. */
export function bias(plan: PlanBuilder, x: Share, name: string, by: readonly Role[] = ['server']): Share {
  const plus = (rows: number, v: Lanes, b: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    const m = maskOf(x.ring)
    for (let r = 0, i = 0; r < rows; r++)
      for (let j = 0; j < x.width; j++, i++) out[i] = BigInt.asUintN(64, v[i] + b[j]) & m
    return out
  }
  const { layout, width, frac } = x
  const sum = program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.lanes(), p.columns(width, 0, 0)), x.ring))])
  return plan.step<Share>('bias', { kind: 'share', layout, width, frac, ring: x.ring }, [x], () => ({
    run: (ctx) =>
      by.includes(ctx.role)
        ? ctx.evaluate(sum, [ctx.get(x), ctx.bias(name)], ctx.get(x).length)[0]
        : ctx.get(x),
    plain: (ctx) => plus(rowsOf(ctx.shape, layout), ctx.get(x), ctx.bias(name)),
  }))
}

/** Sum over the positions of a pair value: rows x width. */
export function sumPositions(plan: PlanBuilder, x: Share): Share {
  const { width } = x
  const layout = rowLayout(x.layout)
  const sum = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(count(shape, layout, width))
    const m = maskOf(x.ring)
    const first = firstRow(shape, layout)
    for (let r = first, at = 0; r < shape.rows; r++)
      for (let j = span(shape, r); j > 0; j--)
        for (let h = 0; h < width; h++, at++) {
          const to = (r - first) * width + h
          out[to] = BigInt.asUintN(64, out[to] + v[at]) & m
        }
    return out
  }
  return plan.step<Share>('sum', { kind: 'share', layout, width, frac: x.frac, ring: x.ring }, [x], () => ({
    run: (ctx) => sum(ctx.shape, ctx.get(x)),
    plain: (ctx) => sum(ctx.shape, ctx.get(x)),
  }))
}

/** x plus a public constant, in a ring no wider than x's. */
export function addConstant(plan: PlanBuilder, x: Share, constant: bigint, k = x.ring): Share {
  const plus = (v: Lanes, c: bigint): Lanes => {
    const out = new BigUint64Array(v.length)
    const m = maskOf(k)
    for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, v[i] + c) & m
    return out
  }
  const c = BigInt.asUintN(64, constant)
  const { layout, width, frac } = x
  const sum = perRole((role) =>
    program<[Lanes]>((p) => [p.out(p.reduce(p.plus(p.lanes(), role === 'server' ? c : 0n), k))]),
  )
  return plan.step<Share>('constant', { kind: 'share', layout, width, frac, ring: k }, [x], () => ({
    run: (ctx) => ctx.evaluate(sum(ctx.role), [ctx.get(x)], ctx.get(x).length)[0],
    plain: (ctx) => plus(ctx.get(x), c),
  }))
}

/**
 * Rotary positions on shares by public integers cos and sin with `frac` fraction bits (half-split pairs, as Hugging
 * Face LLaMA): the scale grows by `frac`, the ring stays. `frequencies`: radians a position of each pair.
 */
export function rotate(
  plan: PlanBuilder,
  x: Share,
  o: { headDim: number; frequencies: Float64Array; frac: number },
): Share {
  const half = o.headDim / 2
  const turn = (shape: Shape, v: Lanes): Lanes => {
    const out = new BigUint64Array(v.length)
    const m = maskOf(x.ring)
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
  const { width } = x
  return plan.step<Share>(
    'rotate',
    { kind: 'share', layout: x.layout, width, frac: x.frac + o.frac, ring: x.ring },
    [x],
    () => ({
      run: (ctx) => turn(ctx.shape, ctx.get(x)),
      plain: (ctx) => turn(ctx.shape, ctx.get(x)),
    }),
  )
}

function angles(position: number, frequencies: Float64Array, frac: number): { cos: Lanes; sin: Lanes } {
  const c = new Float64Array(frequencies.length)
  const s = new Float64Array(frequencies.length)
  for (let i = 0; i < frequencies.length; i++) {
    const angle = position * frequencies[i]
    c[i] = Math.round(Math.cos(angle) * 2 ** frac)
    s[i] = Math.round(Math.sin(angle) * 2 ** frac)
  }
  return { cos: ring.fromFloats(c), sin: ring.fromFloats(s) }
}

/** The signed plain lanes of a value, mod 2^64: for oracles that leave the value's ring. */
export const widen = (v: Lanes, k: number): Lanes => {
  const out = new BigUint64Array(v.length)
  for (let i = 0; i < out.length; i++) out[i] = BigInt.asUintN(64, signed(v[i], k))
  return out
}
