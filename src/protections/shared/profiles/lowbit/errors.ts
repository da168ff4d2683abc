/** A weight does not fit the encoding. */
export class WeightError extends Error {
  override readonly name = 'WeightError'
  /** The matrix's name in plans. */
  readonly weight: string

  constructor(weight: string, what: string) {
    super(`weight '${weight}' ${what}`)
    this.weight = weight
  }
}
