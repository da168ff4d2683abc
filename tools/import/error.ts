/** What went wrong with an import, for programs; the message says what to do about it. */
export type ImportFault =
  | 'not-found'
  | 'unsupported'
  | 'bad-file'
  | 'missing-tensor'
  | 'wrong-shape'
  | 'bad-values'
  | 'hub'
  | 'exists'

/** A model can't be imported as it is. `file` and `tensor` name the place, where there is one. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
  readonly fault: ImportFault
  readonly file?: string
  readonly tensor?: string

  constructor(
    fault: ImportFault,
    message: string,
    place: { file?: string; tensor?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: place.cause })
    this.fault = fault
    this.file = place.file
    this.tensor = place.tensor
  }
}
