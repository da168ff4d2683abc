/** What a session is bound to. Both the dealer's signature and every key derive from this one hash. */
import { sha256 } from '../../../handshake/crypto.ts'
import { joinFields } from '../../../handshake/encoding.ts'

/** All that a session is bound to. */
export interface Transcript {
  protocolVersion: number
  sessionId: Uint8Array
  /** Hex, as in the bundle's manifest. */
  modelHash: string
  planHash: string
  profile: string
  dealerKey: Uint8Array
  serverKey: Uint8Array
  ownerEphemeral: Uint8Array
  dealerEphemeral: Uint8Array
}

/** SHA-256 over its fields, each with its length before it. */
export const transcriptHash = (t: Transcript): Promise<Uint8Array<ArrayBuffer>> =>
  sha256(
    joinFields([
      'sotto transcript',
      String(t.protocolVersion),
      t.sessionId,
      t.modelHash,
      t.planHash,
      t.profile,
      t.dealerKey,
      t.serverKey,
      t.ownerEphemeral,
      t.dealerEphemeral,
    ]),
  )

/** What is signed: never a bare hash, so that a signature for one purpose is useless for another. */
export const signedBytes = {
  dealerAnswer: (transcript: Uint8Array) => joinFields(['sotto dealer answer', transcript]),
  serverWelcome: (transcript: Uint8Array, fSeed: Uint8Array) =>
    joinFields(['sotto server welcome', transcript, fSeed]),
  /** On whether a pass of the session was dealt rightly. */
  verdict: (transcript: Uint8Array, pass: number, isRight: boolean) =>
    joinFields(['sotto audit verdict', transcript, String(pass), isRight ? 'right' : 'wrong']),
  /** What a server keeps of a model's weights, encoded: by the key of what they are, and the digest of all of them. */
  encodedWeights: (key: string, digest: string) => joinFields(['sotto encoded weights', key, digest]),
  material: (role: 'server' | 'dealer', serverKey: Uint8Array, dealerKey: Uint8Array, nonces: Uint8Array[]) =>
    joinFields(['sotto material', role, serverKey, dealerKey, ...nonces]),
}
