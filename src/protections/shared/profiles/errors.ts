/** A manifest has no entry of a profile that this program knows, or one that says too little. */
export class ProfileError extends Error {
  override readonly name: string = 'ProfileError'
  /** The profile that is meant; absent where the manifest leaves open which. */
  readonly profile?: string

  constructor(message: string, profile?: string) {
    super(message)
    this.profile = profile
  }
}

/** A manifest names a profile that this program does not have. */
export class UnknownProfile extends ProfileError {
  override readonly name = 'UnknownProfile'

  constructor(profile: string, known: readonly string[]) {
    super(
      `The profile '${profile}' is unknown: this version of Sotto knows ${known.join(', ')}. Use a newer version, or get the model again.`,
      profile,
    )
  }
}

/** A model can't be computed as it was calibrated, or with its weights; the message names the layer and the tensors. */
export class CalibrationError extends Error {
  override readonly name = 'CalibrationError'
  /** Absent where it is no layer's. */
  readonly layer?: number
  readonly tensors: readonly string[]

  constructor(message: string, place: { layer?: number; tensors?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: place.cause })
    this.layer = place.layer
    this.tensors = place.tensors ?? []
  }
}
