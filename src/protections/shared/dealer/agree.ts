/** The dealer's half of the key agreement with an owner. */
import type * as v from 'valibot'
import {
  aesEncrypt,
  hkdf,
  type Identity,
  type Mac,
  newEphemeral,
  newMac,
  randomBytes,
} from '../../../handshake/crypto.ts'
import { toBase64Url, toHex } from '../../../handshake/encoding.ts'
import { PROTOCOL_VERSION } from '../../../handshake/limits.ts'
import { SESSION_ID_BYTES } from '../agreement/material-socket.ts'
import type { openRequest } from '../agreement/messages.ts'
import { keyPurpose } from '../agreement/pass-request.ts'
import { signedBytes, transcriptHash } from '../agreement/transcript.ts'

export type OpenRequest = v.InferOutput<typeof openRequest>

export interface Agreed {
  readonly sessionId: string
  readonly transcript: Uint8Array
  readonly seed: Uint8Array
  readonly mac: Mac
  /** The JSON that the owner is answered. */
  answer(splitSeed?: Uint8Array): Promise<object>
}

export async function agree(
  identity: Identity,
  serverKey: Uint8Array,
  { modelHash, planHash, profile, ownerEphemeral }: OpenRequest,
): Promise<Agreed> {
  const ephemeral = await newEphemeral()
  const id = randomBytes(SESSION_ID_BYTES)
  const sessionId = toHex(id)
  const transcript = await transcriptHash({
    protocolVersion: PROTOCOL_VERSION,
    sessionId: id,
    modelHash,
    planHash,
    profile,
    dealerKey: identity.publicKey,
    serverKey,
    ownerEphemeral,
    dealerEphemeral: ephemeral.publicKey,
  })
  const secret = await ephemeral.agree(ownerEphemeral)
  return {
    sessionId,
    transcript,
    seed: await hkdf(secret, transcript, keyPurpose.seed),
    mac: await newMac(await hkdf(secret, transcript, keyPurpose.passMac)),
    answer: async (split) => {
      const signature = await identity.sign(signedBytes.dealerAnswer(transcript))
      const splitKey = split && (await hkdf(secret, transcript, keyPurpose.splitSeed))
      const splitSeed = split && splitKey && toBase64Url(await aesEncrypt(splitKey, split, transcript))
      return {
        sessionId,
        dealerIdentity: toBase64Url(identity.publicKey),
        dealerEphemeral: toBase64Url(ephemeral.publicKey),
        signature: toBase64Url(signature),
        ...(splitSeed === undefined ? {} : { splitSeed }),
      }
    },
  }
}
