/**
 * Messages between an owner and an enclave's attested key, through hosts that are not to read them: HPKE (RFC 9180, base
 * mode) upwards, and replies under keys that HPKE exports (after RFC 9458, section 4.4). Browser-safe.
 */
import {
  Aes256Gcm,
  CipherSuite,
  DhkemP256HkdfSha256,
  HkdfSha256,
  type RecipientContext,
  type SenderContext,
} from '@hpke/core'
import { aesDecrypt, aesEncrypt, hkdf } from '../crypto.ts'
import { utf8 } from '../encoding.ts'
import type { Attested } from './attested.ts'
import { AttestationError } from './error.ts'

const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})
const INFO = utf8('sotto attested channel 1')
const REPLIES = utf8('replies')
/** A point of P-256, uncompressed. */
const POINT_BYTES = 65

/** An enclave's key: the public half is what evidence vouches for. */
export interface ChannelKey {
  /** P-256, uncompressed: 65 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: CryptoKey
}

/** A fresh key of the system's generator, whose private half cannot be exported. */
export async function newChannelKey(): Promise<ChannelKey> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
    privateKey: pair.privateKey,
  }
}

/** Messages of one direction are numbered, so that none is left out, repeated or moved without being noticed. */
class Replies {
  readonly #secret: Promise<ArrayBuffer>
  #sent = 0

  constructor(context: SenderContext | RecipientContext) {
    this.#secret = context.export(REPLIES, 32)
  }

  /** Of the next reply alone. */
  async nextKey(): Promise<Uint8Array> {
    const number = this.#sent++
    return hkdf(new Uint8Array(await this.#secret), new Uint8Array(), `reply ${number}`)
  }
}

/** The owner's end. */
export class OwnerChannel {
  /** What the enclave opens its end with: 65 bytes, to be sent first. */
  readonly opening: Uint8Array
  readonly #context: SenderContext
  readonly #replies: Replies

  private constructor(context: SenderContext) {
    this.#context = context
    this.opening = new Uint8Array(context.enc)
    this.#replies = new Replies(context)
  }

  /** Rejects with {@link AttestationError} `wrong-key` where evidence vouches for something that is no key. */
  static async to({ channelKey }: Attested): Promise<OwnerChannel> {
    try {
      if (channelKey.length !== POINT_BYTES) throw new RangeError(`A key has ${POINT_BYTES} bytes.`)
      const recipientPublicKey = await suite.kem.deserializePublicKey(exact(channelKey))
      return new OwnerChannel(await suite.createSenderContext({ recipientPublicKey, info: INFO.buffer }))
    } catch (cause) {
      throw new AttestationError('wrong-key', 'What the enclave vouches for is no key of P-256.', { cause })
    }
  }

  /** The next message, sealed. One after another. */
  async seal(message: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(await this.#context.seal(exact(message)))
  }

  /** The next reply. Rejects with {@link AttestationError} `bad-signature` for any other. */
  async open(reply: Uint8Array): Promise<Uint8Array> {
    return opened(aesDecrypt(await this.#replies.nextKey(), reply, INFO))
  }
}

/** The enclave's end. */
export class EnclaveChannel {
  readonly #context: RecipientContext
  readonly #replies: Replies

  private constructor(context: RecipientContext) {
    this.#context = context
    this.#replies = new Replies(context)
  }

  /** Rejects with {@link AttestationError} `malformed` for an opening that is none. */
  static async from({ publicKey, privateKey }: ChannelKey, opening: Uint8Array): Promise<EnclaveChannel> {
    const algorithm = { name: 'ECDH', namedCurve: 'P-256' }
    const point = publicKey as Uint8Array<ArrayBuffer>
    try {
      const recipientKey = {
        privateKey,
        publicKey: await crypto.subtle.importKey('raw', point, algorithm, true, []),
      }
      return new EnclaveChannel(
        await suite.createRecipientContext({ recipientKey, enc: exact(opening), info: INFO.buffer }),
      )
    } catch (cause) {
      throw new AttestationError('malformed', 'The opening of a channel cannot be used.', { cause })
    }
  }

  /** The next message. Rejects with {@link AttestationError} `bad-signature` for any other. */
  open(message: Uint8Array): Promise<Uint8Array> {
    return opened(this.#context.open(exact(message)))
  }

  /** The next reply, sealed. */
  async seal(reply: Uint8Array): Promise<Uint8Array> {
    return aesEncrypt(await this.#replies.nextKey(), reply, INFO)
  }
}

/** The bytes in a buffer of their own: the library takes whole buffers. */
const exact = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer

async function opened(bytes: Promise<ArrayBuffer | Uint8Array>): Promise<Uint8Array> {
  try {
    return new Uint8Array(await bytes)
  } catch (cause) {
    throw new AttestationError('bad-signature', 'A message was altered, repeated or left out.', { cause })
  }
}
