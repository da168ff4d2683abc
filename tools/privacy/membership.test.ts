import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalQuantiles, shuffled } from '../../test/support/random-source.ts'
import { normalCdf } from './gaussian.ts'
import { empiricalEpsilon, lossThresholdAttack, membershipReport } from './membership.ts'
import { AuditError, areaUnder, rocCurve } from './roc.ts'

describe('two normals, one deviation apart', () => {
  // Losses of members are one lower; evenly spaced quantiles in random order stand for a sample.
  const nonMembers = shuffled(normalQuantiles(4000), 1)
  const members = shuffled(normalQuantiles(4000), 2).map((x) => x - 1)
  const report = lossThresholdAttack(members, nonMembers)

  it('has the known area, advantage and rates', () => {
    expect(report.areaUnderCurve).toBeCloseTo(normalCdf(Math.SQRT1_2), 3)
    expect(report.advantage).toBeCloseTo(2 * normalCdf(0.5) - 1, 3)
    expect(report.truePositiveAtOnePercent).toBeCloseTo(normalCdf(1 - 2.3263), 2)
    expect(report.truePositiveAtTenthPercent).toBeCloseTo(normalCdf(1 - 3.0902), 2)
    expect([report.members, report.nonMembers]).toEqual([4000, 4000])
  })

  it('shows an epsilon above 0', () => {
    // The larger ratio of rates is unbounded in the tails; at this size about e^2 can be shown.
    expect(report.epsilonLower).toBeGreaterThan(1)
    expect(report.epsilonLower).toBeLessThan(4)
  })
})

describe('the bound of epsilon', () => {
  it('is that of Clopper and Pearson when the attack never errs', () => {
    const found = empiricalEpsilon(Array(1000).fill(1), Array(1000).fill(0))
    const tail = 0.025 ** (1 / 500)
    expect(found).toBeCloseTo(Math.log(tail / (1 - tail)), 6)
    const withDelta = empiricalEpsilon(Array(1000).fill(1), Array(1000).fill(0), { delta: 0.01 })
    expect(withDelta).toBeCloseTo(Math.log((tail - 0.01) / (1 - tail)), 6)
  })

  it('stays below the truth for randomised response, and comes near', () => {
    const epsilon = 2
    const n = 20_000
    const share = Math.exp(epsilon) / (1 + Math.exp(epsilon))
    // Exactly that share of right answers among even and odd numbers alike.
    const answers = (right: number) =>
      Array.from({ length: n }, (_, i) => (Math.floor(i / 2) < (share * n) / 2 ? right : 1 - right))
    const found = empiricalEpsilon(answers(1), answers(0))
    expect(found).toBeLessThan(epsilon)
    expect(found).toBeGreaterThan(epsilon - 0.15)
  })

  it('is 0 where scores say nothing', () => {
    const scores = shuffled(normalQuantiles(2000), 3)
    expect(empiricalEpsilon(scores, [...scores].reverse())).toBeLessThan(0.3)
    expect(empiricalEpsilon([1], [0])).toBe(0)
    expect(empiricalEpsilon(Array(50).fill(0), Array(50).fill(0))).toBe(0)
  })
})

it('the area is the share of pairs in the right order', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(scores, scores, (members, nonMembers) => {
      let wins = 0
      for (const a of members) for (const b of nonMembers) wins += a > b ? 1 : a === b ? 0.5 : 0
      const curve = rocCurve(members, nonMembers)
      expect(areaUnder(curve)).toBeCloseTo(wins / (members.length * nonMembers.length), 10)
      expect(curve.at(-1)).toMatchObject({ falsePositive: 1, truePositive: 1 })
    }),
  )
})

it('refuses what is no audit', () => {
  expect(() => membershipReport([], [1])).toThrow(AuditError)
  expect(() => membershipReport([1, Number.NaN], [1])).toThrow(/Number 1 of the members/)
  expect(() => empiricalEpsilon([1, 2], [1, 2], { delta: 1 })).toThrow(AuditError)
  expect(() => empiricalEpsilon([1, 2], [1, 2], { confidence: 1 })).toThrow(AuditError)
})
