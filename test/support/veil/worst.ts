import type { Vector } from '../../twins/formulas.ts'

/** Largest difference between rows of numbers. */
export const worst = (a: readonly Vector[], b: readonly Vector[]): number =>
  Math.max(...a.flatMap((row, t) => row.map((value, i) => Math.abs(value - b[t][i]))))
