/** Does a model give away a secret it was trained on? Exposure (Carlini et al. 2019, "The Secret Sharer"). */
import { AuditError, checkScores } from './roc.ts'

/** Bits of guessing that the model saves: log2 |R| - log2 rank, for a rank from 1 to |R|. */
export function exposure(rank: number, candidates: number): number {
  if (!(candidates >= 1 && rank >= 1 && rank <= candidates))
    throw new AuditError(`Rank ${rank} of ${candidates} candidates: it must be from 1 to their number.`)
  return Math.log2(candidates) - Math.log2(rank)
}

/** Rank of a canary by loss among candidates that were not trained on: 1 where it beats them all. */
export function canaryRank(loss: number, references: ArrayLike<number>): number {
  checkScores([loss], 'canary losses')
  checkScores(references, 'reference losses')
  let rank = 1
  for (let i = 0; i < references.length; i++) if (references[i] < loss) rank++
  return rank
}

/**
 * Exposure of a canary among itself and `references`: the losses of other secrets of the same form, all of them or a
 * random sample. At most log2(references + 1); a canary that left no trace has 1.44 bits on average (log2 e).
 */
export const canaryExposure = (loss: number, references: ArrayLike<number>): number =>
  exposure(canaryRank(loss, references), references.length + 1)

/** Exposures in bits. */
export interface CanaryReport {
  exposures: number[]
  mean: number
  /** Of the canary the model knows best. */
  largest: number
  /** log2(references + 1): what a canary gets that beats every reference. */
  limit: number
  /** Canaries that beat every reference. */
  extracted: number
}

/** Exposure of several canaries against the same references. */
export function canaryReport(losses: ArrayLike<number>, references: ArrayLike<number>): CanaryReport {
  checkScores(losses, 'canary losses')
  const exposures = Array.from(losses, (loss) => canaryExposure(loss, references))
  const limit = Math.log2(references.length + 1)
  return {
    exposures,
    mean: exposures.reduce((sum, bits) => sum + bits, 0) / exposures.length,
    largest: exposures.reduce((a, b) => Math.max(a, b)),
    limit,
    extracted: exposures.filter((bits) => bits === limit).length,
  }
}
