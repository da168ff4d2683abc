import { describe, expect, it } from 'vitest'
import { counterSource } from '../../test/support/random-source.ts'
import { normalCdf } from './gaussian.ts'
import { liraScores, logitConfidence, type Shadow } from './lira.ts'
import { membershipReport } from './membership.ts'
import { addGaussian } from './noise.ts'
import { AuditError } from './roc.ts'

it('logit confidences: half, nearly certain, hopeless', () => {
  expect(logitConfidence(Math.LN2)).toBeCloseTo(0, 14)
  const p = 0.999
  expect(logitConfidence(-Math.log(p))).toBeCloseTo(Math.log(p / (1 - p)), 9)
  expect(logitConfidence(50)).toBeCloseTo(-50, 12)
  expect(Number.isFinite(logitConfidence(0))).toBe(true)
})

describe('by hand', () => {
  const shadow = (confidences: number[], member: number[]): Shadow => ({ confidences, member })
  const shadows = [
    shadow([4, 0], [1, 0]),
    shadow([6, 2], [1, 0]),
    shadow([1, 8], [0, 1]),
    shadow([3, 10], [0, 1]),
  ]

  it('online: the log of the ratio of two normal densities', () => {
    // Example 0: seen 5, unseen 2; example 1: seen 9, unseen 1; all variances 2.
    const log = (x: number, mean: number) => -((x - mean) ** 2) / 4
    const expected = [log(4.5, 5) - log(4.5, 2), log(3, 9) - log(3, 1)]
    for (const variance of ['shared', 'per-example'] as const)
      [...liraScores([4.5, 3], shadows, { variance })].forEach((score, i) => {
        expect(score).toBeCloseTo(expected[i], 12)
      })
  })

  it('offline: deviations above the models that did not see it', () => {
    const scores = liraScores([4.5, 3], shadows, { variant: 'offline' })
    expect(scores[0]).toBeCloseTo(2.5 / Math.SQRT2, 12)
    expect(scores[1]).toBeCloseTo(2 / Math.SQRT2, 12)
    const unseen = shadows.map(({ confidences }) => ({ confidences, member: [0, 0] }))
    expect(liraScores([1, 1], unseen).every(Number.isFinite)).toBe(true)
  })

  it('says which shadow models are missing', () => {
    expect(() => liraScores([1, 1], shadows.slice(0, 2))).toThrow(/0 shadow models trained without it/)
    expect(() => liraScores([1, 1], shadows.slice(2, 4), { variant: 'online' })).toThrow(AuditError)
    expect(() => liraScores([1, 1], [shadows[0], shadows[2]])).toThrow(/no variance/)
    expect(() => liraScores([1], shadows)).toThrow(/not 1/)
    expect(() => liraScores([1, 1], [])).toThrow(AuditError)
  })
})

it('finds members that losses alone do not: examples of different difficulty', () => {
  // Confidence = difficulty (deviation 10) + 2 if trained on + noise (deviation 1).
  const n = 2000
  const draw = (seed: number, deviation: number) => {
    const values = new Float64Array(n)
    addGaussian(values, deviation, counterSource(seed))
    return values
  }
  const difficulty = draw(1, 10)
  const model = (seed: number): Shadow => {
    const member = [...draw(100 + seed, 1)].map((x) => x > 0)
    const noise = draw(200 + seed, 1)
    return { member, confidences: noise.map((x, i) => x + difficulty[i] + (member[i] ? 2 : 0)) }
  }
  const target = model(0)
  const shadows = Array.from({ length: 24 }, (_, i) => model(i + 1))
  const report = (scores: ArrayLike<number>) => {
    const of = (kind: boolean) => Array.from(scores).filter((_, i) => target.member[i] === kind)
    return membershipReport(of(true), of(false))
  }
  const byLoss = report(target.confidences).areaUnderCurve
  expect(byLoss).toBeLessThan(0.62)
  // With means known exactly, two deviations apart: the best attack has this area.
  const best = normalCdf(Math.SQRT2)
  const online = report(liraScores(target.confidences, shadows)).areaUnderCurve
  const offline = report(liraScores(target.confidences, shadows, { variant: 'offline' })).areaUnderCurve
  for (const area of [online, offline]) {
    expect(area).toBeGreaterThan(best - 0.04)
    expect(area).toBeLessThan(best + 0.02)
  }
})
