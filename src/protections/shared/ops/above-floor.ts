import type { DealtRows, Slot } from '../dealt.ts'
import type { PlanBuilder } from '../plan.ts'
import { MASK_STREAM, streamId } from '../prg.ts'
import { bitsAt, type Lanes, lowBits } from '../ring.ts'
import { UNSCALED } from '../scale.ts'
import { type LevelGeometry, levelReadings } from '../tables/levels.ts'
import { type Masked, type Opened, type Share, share } from '../values.ts'
import { publicOf } from './parts/public-of.ts'

/**
 * Whether an opened non-negative value is below what tables of so many levels tell apart (see `inverse`): a share mod 2^8 of zero
 * where it is below their last level's first segment, of another number where it is above the second one; at random between.
 * Same layout. No message.
 *
 * Every level's table, read at the bits of D that its table of the function is read at, holds zero where the value may be at the
 * level's low end, and elsewhere a number of the level's and the row's own. No sum of such numbers is zero, so that all of them
 * together are only where every level says so; which do, none of the sums tells.
 */
export function aboveFloor(
  plan: PlanBuilder,
  v: Opened,
  geometry: Omit<LevelGeometry, 'degree' | 'scale'>,
): Share {
  const { layout, width } = v
  const { entryBits } = geometry
  const entries = 2 ** entryBits
  const readings = levelReadings(geometry)
  const slots = readings.map((_, k): Slot => ({ name: `level${k}`, layout, width, entries, bits: 8 }))
  const isLow = (k: number, start: number): boolean => {
    const { step, size } = readings[k]
    return start < (k === readings.length - 1 ? step : step / 2) || start > size - step
  }
  return plan.step<Share>('aboveFloor', share({ layout, width, ring: 8, scale: UNSCALED }), [v], (id) => {
    const noise: Masked = {
      kind: 'masked',
      step: id,
      layout,
      width: width * readings.length,
      ring: 32,
      scale: UNSCALED,
      lanes: 64,
      stream: streamId(id, MASK_STREAM),
    }
    return {
      slots,
      deal(ctx) {
        const masks = lowBits(ctx.mask(v), v.ring)
        const numbers = freeOfSums(ctx.serverMask(noise), readings.length)
        return readings.map(
          ({ step, size }, k): DealtRows => ({
            fill(first, n, out) {
              for (let i = first, to = 0; i < first + n; i++) {
                const number = BigInt(numbers[i * readings.length + k])
                let start = masks[i] % size
                for (let e = 0; e < entries; e++, start += step) {
                  if (start >= size) start -= size
                  out[to++] = isLow(k, start) ? 0n : number
                }
              }
            },
          }),
        )
      },
      run(ctx) {
        const D = ctx.get(v)
        const sum = new Uint8Array(D.length)
        readings.forEach(({ shift }, k) => {
          ctx.lookup(id, slots[k], bitsAt(D, shift, entryBits)).forEach((word, i) => {
            sum[i] += Number(word)
          })
        })
        return BigUint64Array.from(sum, BigInt)
      },
      oracle(ctx) {
        const D = lowBits(publicOf(ctx, v), v.ring)
        const masks = lowBits(ctx.mask(v), v.ring)
        const numbers = freeOfSums(ctx.serverMask(noise), readings.length)
        return BigUint64Array.from(D, (d, i) => {
          const found = readings.map(({ step, size }, k) =>
            isLow(k, (d - (d % step) + masks[i]) % size) ? 0 : numbers[i * readings.length + k],
          )
          return BigInt(found.reduce((a, b) => a + b) & 255)
        })
      },
    }
  })
}

/** Numbers mod 2^8, `n` by `n`, none of whose sums is zero: chosen by random words. */
function freeOfSums(random: Lanes, n: number): Uint8Array {
  const out = new Uint8Array(random.length)
  for (let at = 0; at < out.length; at += n) {
    const sums = new Set([0])
    for (let k = 0; k < n; k++) {
      const free = Array.from({ length: 256 }, (_, x) => x).filter((x) => !sums.has(-x & 255))
      const number = free[Number(random[at + k]) % free.length]
      out[at + k] = number
      for (const sum of [...sums]) sums.add((sum + number) & 255)
    }
  }
  return out
}
