/** What is wrong with a bundle, for programs; the message says what to do about it. */
export type BundleErrorCode =
  | 'missing-file'
  | 'bad-manifest'
  | 'hash-mismatch'
  | 'missing-tensor'
  | 'wrong-shape'
  | 'bad-tensors'

/** A bundle is damaged, incomplete, or not the one that was expected; `code` is for programs. */
export class BundleError extends Error {
  override name = 'BundleError'
  readonly code: BundleErrorCode

  constructor(code: BundleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
