/** How well scores tell members from non-members. Everywhere a higher score says "member". */

export interface RocPoint {
  /** Share of non-members called members. */
  falsePositive: number
  /** Share of members called members. */
  truePositive: number
  /** Scores from here up are called members. */
  threshold: number
}

/** Too few scores, or scores that are no numbers. */
export class AuditError extends Error {
  override readonly name = 'AuditError'
}

/** Throws AuditError if there are no scores, or one of them is NaN. */
export function checkScores(scores: ArrayLike<number>, what: string): void {
  if (scores.length === 0) throw new AuditError(`There are no ${what} to audit.`)
  for (let i = 0; i < scores.length; i++)
    if (Number.isNaN(scores[i]))
      throw new AuditError(`Number ${i} of the ${what} is not a number: training diverged?`)
}

/** The curve from (0, 0) to (1, 1), one point for each distinct score. */
export function rocCurve(members: ArrayLike<number>, nonMembers: ArrayLike<number>): RocPoint[] {
  checkScores(members, 'members')
  checkScores(nonMembers, 'non-members')
  const all = [
    ...Array.from(members, (score) => ({ score, member: true })),
    ...Array.from(nonMembers, (score) => ({ score, member: false })),
  ].sort((a, b) => (a.score === b.score ? 0 : b.score - a.score))
  const curve: RocPoint[] = [{ falsePositive: 0, truePositive: 0, threshold: Infinity }]
  let truePositives = 0
  let falsePositives = 0
  all.forEach(({ score, member }, i) => {
    if (member) truePositives++
    else falsePositives++
    // Equal scores are called together.
    if (all[i + 1]?.score === score) return
    curve.push({
      falsePositive: falsePositives / nonMembers.length,
      truePositive: truePositives / members.length,
      threshold: score,
    })
  })
  return curve
}

/** Area under the curve: the chance that a member scores above a non-member, ties counting half. */
export function areaUnder(curve: readonly RocPoint[]): number {
  let area = 0
  for (let i = 1; i < curve.length; i++) {
    const [a, b] = [curve[i - 1], curve[i]]
    area += ((b.falsePositive - a.falsePositive) * (a.truePositive + b.truePositive)) / 2
  }
  return area
}

/** Largest difference of true and false positive rates (Yeom et al. 2018): 0 is guessing, 1 is certainty. */
export const advantageOf = (curve: readonly RocPoint[]): number =>
  curve.reduce((best, { truePositive, falsePositive }) => Math.max(best, truePositive - falsePositive), 0)

/** Largest true positive rate at a false positive rate of at most `limit`. */
export const truePositiveAt = (curve: readonly RocPoint[], limit: number): number =>
  curve.reduce((best, point) => (point.falsePositive <= limit ? Math.max(best, point.truePositive) : best), 0)
