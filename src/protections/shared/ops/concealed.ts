import type { Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import type { Lanes } from '../ring.ts'
import { type Masked, type Share, share } from '../values.ts'
import { wordType } from './fingerprint.ts'
import { bitsOf, fieldProduct, WORD_BITS, wordsOf } from './parts/binary-field.ts'

/**
 * d·r in the field of 2^32 elements, for a word d that the server has as e = d - a and an r that it has of its own keystream at
 * the mask's stream: zero where d is, and elsewhere any element, all alike, whatever d is. A ring would not do: of d·r mod 2^32,
 * the number of zeros that d ends in would show. d·r = e·r + a·r, of which the dealer deals the latter: 32 bits a row. Rows x 32
 * bits, mod 2. No message.
 */
export function concealed(plan: PlanBuilder, e: Masked): Share {
  const { layout } = e
  const slot: Slot = { name: 'a·r', layout, width: WORD_BITS, bits: 1 }
  return plan.step<Share>('concealed', share(wordType(layout)), [e], (id) => ({
    needs: { owner: [] },
    slots: [slot],
    deal: (ctx) => [products(ctx.ownerMask(e), ctx.serverMask(e))],
    run(ctx) {
      const dealt = ctx.correlation(id, slot)
      if (ctx.role === 'owner') return dealt
      return products(ctx.get(e), ctx.mask(e)).map((bit, i) => bit ^ dealt[i])
    },
    oracle: (ctx) => products(ctx.get(e), ctx.serverMask(e)),
  }))
}

function products(a: Lanes, b: Lanes): Lanes {
  const right = wordsOf(b)
  return bitsOf(wordsOf(a).map((word, i) => fieldProduct(word, right[i])))
}
