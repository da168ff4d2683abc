/** The likelihood-ratio attack (Carlini et al. 2022), with as few shadow models as one can afford. */
import { AuditError, checkScores } from './roc.ts'

/** One shadow model: trained on some of the examples, asked about all of them. */
export interface Shadow {
  /** Confidence on each example, logit-scaled. */
  confidences: ArrayLike<number>
  /** Whether each example was in its training data. */
  member: ArrayLike<boolean | number>
}

/** Which models to compare with, and how their spread is estimated. */
export interface LiraOptions {
  /**
   * `online` compares with models that saw the example and models that did not; `offline` with the latter only.
   * Left out: online where every example has both.
   */
  variant?: 'online' | 'offline'
  /** One variance for all examples, which few shadow models need, or one each. */
  variance?: 'shared' | 'per-example'
}

/** Losses under this say "certain" in any case; their logit would be infinite. */
const LEAST_LOSS = 1e-12

/**
 * Logit of the confidence e^-loss: log(p / (1 - p)), nearly normal over training runs where the loss itself is skewed.
 */
export const logitConfidence = (loss: number): number => -Math.log(Math.expm1(Math.max(loss, LEAST_LOSS)))

/**
 * One score per example, higher meaning "member": the log-likelihood ratio of the target's confidence under Gaussians
 * fitted to shadow models that saw the example and ones that did not, or (offline) how many deviations it lies above
 * the latter. Throws AuditError when lengths differ or an example lacks the shadow models that the variant needs.
 */
export function liraScores(
  target: ArrayLike<number>,
  shadows: readonly Shadow[],
  { variant, variance = 'shared' }: LiraOptions = {},
): Float64Array {
  checkScores(target, 'confidences')
  for (const { confidences, member } of shadows) {
    checkScores(confidences, 'shadow confidences')
    if (confidences.length !== target.length || member.length !== target.length)
      throw new AuditError(`A shadow model has ${confidences.length} confidences, not ${target.length}.`)
  }
  const seen = fit(target.length, shadows, true)
  const unseen = fit(target.length, shadows, false)
  const online = variant ? variant === 'online' : seen.least > 0
  const least = variance === 'shared' ? 1 : 2
  for (const [{ least: found }, kind] of online
    ? [[unseen, 'without'] as const, [seen, 'with'] as const]
    : [[unseen, 'without'] as const])
    if (found < least)
      throw new AuditError(
        `An example has ${found} shadow models trained ${kind} it, and needs ${least}. Train more of them.`,
      )
  const deviation = (of: Fit, i: number) => {
    const square = variance === 'shared' ? of.shared : of.squares[i] / (of.counts[i] - 1)
    if (!(square >= 0)) throw new AuditError('One shadow model a side shows no variance. Train more of them.')
    return Math.max(Math.sqrt(square), 1e-6)
  }
  return Float64Array.from(target, (confidence, i) => {
    const out = (confidence - unseen.means[i]) / deviation(unseen, i)
    if (!online) return out
    const inside = (confidence - seen.means[i]) / deviation(seen, i)
    return (out * out - inside * inside) / 2 + Math.log(deviation(unseen, i) / deviation(seen, i))
  })
}

interface Fit {
  counts: Float64Array
  means: Float64Array
  /** Sums of squared deviations from the mean. */
  squares: Float64Array
  /** Their pooled variance; NaN if no example has two models. */
  shared: number
  /** Fewest models any example has. */
  least: number
}

/** Mean and spread of each example's confidence over the shadow models that saw it, or those that did not. */
function fit(examples: number, shadows: readonly Shadow[], member: boolean): Fit {
  const counts = new Float64Array(examples)
  const means = new Float64Array(examples)
  const squares = new Float64Array(examples)
  for (const shadow of shadows)
    for (let i = 0; i < examples; i++) {
      if (Boolean(shadow.member[i]) !== member) continue
      // Welford's update.
      const difference = shadow.confidences[i] - means[i]
      means[i] += difference / ++counts[i]
      squares[i] += difference * (shadow.confidences[i] - means[i])
    }
  let freedom = 0
  let sum = 0
  let least = Infinity
  for (let i = 0; i < examples; i++) {
    freedom += Math.max(0, counts[i] - 1)
    sum += squares[i]
    least = Math.min(least, counts[i])
  }
  return { counts, means, squares, shared: sum / freedom, least }
}
