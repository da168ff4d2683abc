/** Membership inference against models that were trained on random halves of the same examples. */
import { PredictableRandom } from '../../src/model/random.ts'
import { liraScores, logitConfidence } from '../privacy/lira.ts'
import { lossThresholdAttack, type MembershipReport, membershipReport } from '../privacy/membership.ts'

/** A model under attack, or a shadow of one: they are made alike, so each can be either. */
export interface AttackedModel {
  /** Loss on every example, trained on or not. */
  losses: ArrayLike<number>
  member: boolean[]
}

/** An attack's success over all targets together, without the curve. */
export type AttackFigures = Omit<MembershipReport, 'curve'>

/**
 * Which of `examples` each of `models` models learns from: half of them, chosen anew for each pair of models; the second
 * of a pair learns from what the first does not. So every example is in half of the models.
 */
export function halves(examples: number, models: number, seed: number): boolean[][] {
  const random = new PredictableRandom(seed)
  const out: boolean[][] = []
  while (out.length < models) {
    const order = Array.from({ length: examples }, (_, i) => i)
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      ;[order[i], order[j]] = [order[j], order[i]]
    }
    const first = new Array<boolean>(examples).fill(false)
    for (const number of order.slice(0, examples >> 1)) first[number] = true
    out.push(
      first,
      first.map((isIn) => !isIn),
    )
  }
  return out.slice(0, models)
}

/**
 * Each model in turn is the target, the others its shadows. The loss threshold needs no shadows; the likelihood-ratio
 * attack does. Throws AuditError for fewer models than it needs.
 */
export function membershipAudit(
  models: readonly AttackedModel[],
  { delta }: { delta?: number } = {},
): { lossThreshold: AttackFigures; likelihoodRatio: AttackFigures } {
  const confidences = models.map(({ losses }) => Array.from(losses, logitConfidence))
  const lira = models.map(({ member }, target) => {
    // The complement of a target was trained on exactly what it was not: it would give the answer away.
    const partner = target ^ 1
    const shadows = models.flatMap((model, i) =>
      i === target || i === partner ? [] : [{ confidences: confidences[i], member: model.member }],
    )
    return { scores: liraScores(confidences[target], shadows), member }
  })
  const loss = models.map(({ losses, member }) => ({ scores: losses, member }))
  const [lossIn, lossOut] = sides(loss)
  const [liraIn, liraOut] = sides(lira)
  return {
    lossThreshold: withoutCurve(lossThresholdAttack(lossIn, lossOut, { delta })),
    likelihoodRatio: withoutCurve(membershipReport(liraIn, liraOut, { delta })),
  }
}

/** Scores of members and of non-members, over all targets. */
function sides(targets: readonly { scores: ArrayLike<number>; member: boolean[] }[]): [number[], number[]] {
  const of = (kind: boolean) =>
    targets.flatMap(({ scores, member }) => Array.from(scores).filter((_, i) => member[i] === kind))
  return [of(true), of(false)]
}

const withoutCurve = ({ curve: _, ...figures }: MembershipReport): AttackFigures => figures
