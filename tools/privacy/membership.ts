/** What a membership-inference attack achieves, from one score per example. */
import { proportionLower, proportionUpper } from './clopper-pearson.ts'
import { AuditError, advantageOf, areaUnder, type RocPoint, rocCurve, truePositiveAt } from './roc.ts'

/** Rates from 0 to 1; epsilon in nats. */
export interface MembershipReport {
  members: number
  nonMembers: number
  /** 0.5 is guessing. */
  areaUnderCurve: number
  /** Largest true less false positive rate; 0 is guessing. */
  advantage: number
  truePositiveAtTenthPercent: number
  truePositiveAtOnePercent: number
  /** Epsilon that the attack shows to be exceeded, with the confidence asked for; 0 if it shows nothing. */
  epsilonLower: number
  curve: RocPoint[]
}

/** What the lower bound of epsilon is for. Confidence is 0.95 where nothing else is said. */
export interface MembershipOptions {
  /** Delta of the guarantee under test; 0 for training without one. */
  delta?: number
  confidence?: number
}

/** Loss-threshold attack (Yeom et al. 2018): what the model fits well was in its training data. */
export const lossThresholdAttack = (
  memberLosses: ArrayLike<number>,
  nonMemberLosses: ArrayLike<number>,
  options: MembershipOptions = {},
): MembershipReport =>
  membershipReport(
    Float64Array.from(memberLosses, (loss) => -loss),
    Float64Array.from(nonMemberLosses, (loss) => -loss),
    options,
  )

/** The report on any attack's scores, higher meaning "member". Throws AuditError without scores of both kinds. */
export function membershipReport(
  members: ArrayLike<number>,
  nonMembers: ArrayLike<number>,
  options: MembershipOptions = {},
): MembershipReport {
  const curve = rocCurve(members, nonMembers)
  return {
    members: members.length,
    nonMembers: nonMembers.length,
    areaUnderCurve: areaUnder(curve),
    advantage: advantageOf(curve),
    truePositiveAtTenthPercent: truePositiveAt(curve, 0.001),
    truePositiveAtOnePercent: truePositiveAt(curve, 0.01),
    epsilonLower: empiricalEpsilon(members, nonMembers, options),
    curve,
  }
}

/**
 * A lower bound of epsilon from an attack's success: (epsilon, delta)-DP implies TPR <= e^epsilon FPR + delta, and the
 * same of the complements (Kairouz, Oh and Viswanath 2015). The threshold is chosen on the even-numbered scores and the
 * rates are bounded on the odd-numbered ones (Clopper and Pearson), so choosing costs no confidence. It takes examples
 * as independent trials; scores of one model share that model's luck, so treat a bound from one training run as an
 * indication.
 */
export function empiricalEpsilon(
  members: ArrayLike<number>,
  nonMembers: ArrayLike<number>,
  { delta = 0, confidence = 0.95 }: MembershipOptions = {},
): number {
  if (!(delta >= 0 && delta < 1)) throw new AuditError(`Delta ${delta}: it must be from 0 to 1.`)
  if (!(confidence > 0 && confidence < 1))
    throw new AuditError(`Confidence ${confidence}: it must be from 0 to 1.`)
  if (members.length < 2 || nonMembers.length < 2) return 0
  const half = (scores: ArrayLike<number>, parity: number) =>
    Array.from(scores).filter((_, i) => i % 2 === parity)
  const chosen = [half(members, 0), half(nonMembers, 0)]
  const judged = [half(members, 1), half(nonMembers, 1)]
  // Two rates are bounded, each may fail with half of what confidence leaves.
  const error = (1 - confidence) / 2
  const boundFor = ([ins, outs]: number[][], truePositives: number, falsePositives: number) =>
    Math.max(
      ratio(
        proportionLower(truePositives, ins.length, error) - delta,
        proportionUpper(falsePositives, outs.length, error),
      ),
      ratio(
        proportionLower(outs.length - falsePositives, outs.length, error) - delta,
        proportionUpper(ins.length - truePositives, ins.length, error),
      ),
    )
  let best = { bound: -1, threshold: Infinity }
  for (const { truePositive, falsePositive, threshold } of thinned(rocCurve(chosen[0], chosen[1]))) {
    const [ins, outs] = chosen
    const bound = boundFor(
      chosen,
      Math.round(truePositive * ins.length),
      Math.round(falsePositive * outs.length),
    )
    if (bound > best.bound) best = { bound, threshold }
  }
  const above = (scores: number[]) => scores.filter((score) => score >= best.threshold).length
  return boundFor(judged, above(judged[0]), above(judged[1]))
}

const ratio = (rate: number, other: number) => (rate > other ? Math.log(rate / other) : 0)

/** At most a few hundred points of a curve, denser at its ends, where bounds are largest. */
function thinned(curve: RocPoint[]): RocPoint[] {
  const kept = new Set<number>()
  for (let i = 0; i <= 200; i++) {
    const near = Math.round(Math.expm1((i / 200) * Math.log(curve.length)))
    kept
      .add(near)
      .add(curve.length - 1 - near)
      .add(Math.round(((curve.length - 1) * i) / 200))
  }
  return curve.filter((_, i) => kept.has(i))
}
