import { randomBytes } from '../../../handshake/crypto.ts'
import type { SplitSeeds } from '../weights/split.ts'

/** Every key of a local run, 32 bytes each. */
export interface LocalKeys {
  /** Masks of the owner, which the dealer derives too, and of the server. */
  readonly owner: Uint8Array
  readonly server: Uint8Array
  /** The owner's own, for the input's share. */
  readonly secret: Uint8Array
  /** Of the private weights' stationary masks. */
  readonly stationary: Uint8Array
  /** Of the pieces of split weights. */
  readonly split: SplitSeeds
}

/** New keys from the system's generator. */
export const randomKeys = (): LocalKeys => {
  const key = (): Uint8Array => randomBytes(32)
  return { owner: key(), server: key(), secret: key(), stationary: key(), split: { f: key(), g: key() } }
}
