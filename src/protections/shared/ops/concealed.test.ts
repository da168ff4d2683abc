import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { concealed } from './concealed.ts'
import { openPrint } from './open-print.ts'
import { bitsOf, WORD_BITS, wordsOf } from './parts/binary-field.ts'
import { release } from './release.ts'

const ROWS = 64

/** What the owner is told of rows that all have the word d. */
function told(d: number): Uint32Array {
  const trial = new Trial(
    (plan, given) => {
      const bits = Array.from(bitsOf(new Uint32Array(ROWS).fill(d)), Number)
      const word = given(bits, { ring: 1, width: WORD_BITS })
      release(plan, concealed(plan, openPrint(plan, word)))
    },
    { shape: { base: 0, rows: ROWS, serial: 1 } },
  )
  expect(trial.complaints).toEqual([])
  return wordsOf(trial.owner.result(trial.plan.steps.length - 1) as BigUint64Array<ArrayBuffer>)
}

it('tells zero of zero', () => expect(told(0)).toEqual(new Uint32Array(ROWS)))

it.each([1, 2 ** 31, 2 ** 20, 0xffffffff])('tells of %i no more than that it is not zero', (d) => {
  const words = told(d)
  expect(new Set(words).size).toBe(ROWS)
  expect(words).not.toContain(0)
  // Every bit is set in about half of the rows: of 64, between 8 and 56 but once in 10^9.
  for (let bit = 0; bit < WORD_BITS; bit++) {
    const set = words.filter((word) => (word >>> bit) & 1).length
    expect(set).toBeGreaterThan(8)
    expect(set).toBeLessThan(56)
  }
})
