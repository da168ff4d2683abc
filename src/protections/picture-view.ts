/** What is shown of a picture that a model has labelled. */

/** Bytes `[channels, rows, columns]` of a square picture, as its owner has it and as others may. */
export interface PictureView {
  readonly side: number
  readonly channels: number
  /** What the model was shown. */
  readonly own: Uint8Array
  /** What the model's server could make of what it was sent, where that is known. */
  readonly cloud?: Uint8Array
}
