/**
 * A new operation as a contributor would write it: everything of it is here. Parity of an opened value, which no other
 * operation computes: a table of bits, dealt and read in lanes of eight bits, and opened to nobody.
 */
import { program } from '../../src/kernels/program.ts'
import type { Slot } from '../../src/protections/shared/dealt.ts'
import type { PlanBuilder } from '../../src/protections/shared/plan.ts'
import { bitsAt } from '../../src/protections/shared/ring.ts'
import { UNSCALED } from '../../src/protections/shared/scale.ts'
import { count } from '../../src/protections/shared/shape.ts'
import type { Opened, Share, Unplaced } from '../../src/protections/shared/values.ts'

/** Whether x has an odd number of ones: shares mod 2^8 in lanes of eight bits, rows x width. No message. */
export function parity(plan: PlanBuilder, x: Opened): Share<8> {
  const { layout, width } = x
  const entries = 2 ** x.ring
  const slot: Slot = { name: 'parity', layout, width, entries, bits: 8 }
  const type: Unplaced<Share<8>> = { kind: 'share', layout, width, ring: 8, scale: UNSCALED, lanes: 8 }
  const ones = (v: number): number => (v === 0 ? 0 : (v & 1) ^ ones(v >>> 1))
  return plan.step<Share<8>>('parity', type, [x], (id) => ({
    slots: [slot],
    deal(ctx) {
      const masks = bitsAt(ctx.mask(x), 0, x.ring)
      const tables = new BigUint64Array(masks.length * entries)
      for (let i = 0; i < masks.length; i++)
        for (let D = 0; D < entries; D++) tables[i * entries + D] = BigInt(ones((D + masks[i]) % entries))
      return [tables]
    },
    run: (ctx) => Uint8Array.from(ctx.lookup(id, slot, bitsAt(ctx.get(x), 0, x.ring)), Number),
    oracle: (ctx) => Uint8Array.from(bitsAt(ctx.get(x), 0, x.ring), ones),
  }))
}

/** x + y of two shares in narrow lanes, which a program reads and writes as they are. Same layout. No message. */
export function addNarrow(plan: PlanBuilder, x: Share<8>, y: Share<8>): Share<8> {
  const { step: _, ...type } = x
  const sum = program<[Uint8Array]>((p) => [p.pack(p.add(p.packed(8), p.packed(8)), 8)])
  return plan.step<Share<8>>('addNarrow', type, [x, y], () => ({
    run: (ctx) => ctx.kernels.evaluate(sum, [ctx.get(x), ctx.get(y)], count(ctx.shape, x.layout, x.width))[0],
    oracle: (ctx) => ctx.get(x).map((v, i) => v + ctx.get(y)[i]),
  }))
}
