/** Exact confidence bounds of a proportion (Clopper and Pearson 1934), as quantiles of beta distributions. */
import { compiled, incbi } from 'cephes'

await compiled

/** The proportion behind `successes` of `trials` is below this with probability at most `error`. */
export const proportionLower = (successes: number, trials: number, error: number): number =>
  successes === 0 ? 0 : incbi(successes, trials - successes + 1, error)

/** The proportion behind `successes` of `trials` is above this with probability at most `error`. */
export const proportionUpper = (successes: number, trials: number, error: number): number =>
  successes === trials ? 1 : incbi(successes + 1, trials - successes, 1 - error)
