import { describe, expect, it } from 'vitest'
import { PredictableRandom } from '../../src/model/random.ts'
import { halves, membershipAudit } from './membership-audit.ts'

describe('halves', () => {
  it('puts every example in half of the models, and half of the examples in every model', () => {
    const splits = halves(31, 8, 1)
    expect(splits).toHaveLength(8)
    splits.forEach((split, i) => {
      expect(split.filter(Boolean)).toHaveLength(i % 2 === 0 ? 15 : 16)
    })
    for (let example = 0; example < 31; example++)
      expect(splits.filter((split) => split[example])).toHaveLength(4)
    expect(halves(31, 8, 1)).toEqual(splits)
    expect(halves(31, 8, 2)).not.toEqual(splits)
  })
})

describe('attacks', () => {
  /** Models whose members lose `gain` nats; examples differ in difficulty by far more. */
  function models(gain: number) {
    const random = new PredictableRandom(4)
    const n = 300
    const difficulty = Array.from({ length: n }, () => 2 + 0.4 * random.normal())
    return halves(n, 10, 9).map((member) => ({
      member,
      losses: difficulty.map((d, i) => d + 0.03 * random.normal() - (member[i] ? gain : 0)),
    }))
  }

  it('find members that lose a little, the likelihood ratio far better than a threshold', () => {
    const { lossThreshold, likelihoodRatio } = membershipAudit(models(0.1))
    expect(lossThreshold.members + lossThreshold.nonMembers).toBe(3000)
    expect(lossThreshold.areaUnderCurve).toBeGreaterThan(0.53)
    expect(lossThreshold.areaUnderCurve).toBeLessThan(0.65)
    expect(likelihoodRatio.areaUnderCurve).toBeGreaterThan(0.95)
    expect(likelihoodRatio.epsilonLower).toBeGreaterThan(2)
  })

  it('find nobody where membership leaves no trace', () => {
    const { lossThreshold, likelihoodRatio } = membershipAudit(models(0))
    for (const { areaUnderCurve, epsilonLower } of [lossThreshold, likelihoodRatio]) {
      expect(Math.abs(areaUnderCurve - 0.5)).toBeLessThan(0.04)
      expect(epsilonLower).toBeLessThan(0.3)
    }
  })
})
