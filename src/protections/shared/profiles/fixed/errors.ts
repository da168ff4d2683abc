import type { MatrixRole } from './matrices.ts'

/** Which matrix's product, or which layer, a complaint is about. */
export interface Place {
  readonly layer?: number
  readonly role?: MatrixRole
}

/** The model can't be computed in 64-bit rings at these ranges. */
export class RangeTooWide extends Error {
  override readonly name = 'RangeTooWide'
  /** What is too wide, without whose it is. */
  readonly what: string
  /** Absent where it is no layer's. */
  readonly layer?: number
  /** The matrix whose product it is, or that the value comes from. */
  readonly role?: MatrixRole

  constructor(what: string, { layer, role, cause }: Place & { cause?: unknown } = {}) {
    super(layer === undefined ? what : `Layer ${layer}: ${what}`, { cause })
    this.what = what
    this.layer = layer
    this.role = role
  }
}

/** Runs what may throw a `RangeTooWide` that does not know whose values it is about; then it says. */
export function placed<T>(place: Place, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof RangeTooWide) || error.layer !== undefined) throw error
    throw new RangeTooWide(error.what, { ...place, cause: error })
  }
}

/** A weight does not fit the encoding. */
export class WeightError extends Error {
  override readonly name = 'WeightError'
  /** The folded matrix's name. */
  readonly weight: string

  constructor(weight: string, what: string) {
    super(`weight '${weight}' ${what}`)
    this.weight = weight
  }
}
