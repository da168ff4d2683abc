/** What stands in the way of veiling a model, for programs; the message says what to do about it. */
export type VeilFault =
  /** A form, a setting or a tensor for which no exact rule is known. */
  | 'unsupported'
  | 'missing-tensor'
  | 'wrong-shape'
  /** A value that its type can't hold any more, or a gain that can't be folded. */
  | 'bad-values'
  | 'keys'

/** A model can't be veiled as it is. `tensor` names the place, where there is one. */
export class VeilError extends Error {
  override readonly name = 'VeilError'
  readonly fault: VeilFault
  readonly tensor?: string

  constructor(fault: VeilFault, message: string, place: { tensor?: string; cause?: unknown } = {}) {
    super(message, { cause: place.cause })
    this.fault = fault
    this.tensor = place.tensor
  }
}
