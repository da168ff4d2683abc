/**
 * What surrounds the passes of a session: what owner and dealer derive their keys from, what is signed, and the messages
 * that passes travel in. Sockets and greetings are timed, so these are the functions alone, on fixed arguments.
 */
import { aesEncrypt, hkdf, newMac } from '../../src/handshake/crypto.ts'
import { PROTOCOL_VERSION } from '../../src/handshake/limits.ts'
import {
  encodeBlob,
  encodeJson,
  encodePassPart,
} from '../../src/protections/shared/agreement/material-socket.ts'
import { keyPurpose, sealPass } from '../../src/protections/shared/agreement/pass-request.ts'
import { signedBytes, transcriptHash } from '../../src/protections/shared/agreement/transcript.ts'
import { encodeFrame, FrameFlag, FrameType } from '../../src/transport/frame.ts'
import { sha256 } from './digest.ts'
import { fixedKey } from './fixed-random.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Everything in hex, or its SHA-256 where it is long. */
export async function agreement(): Promise<Record<string, string>> {
  const sessionId = fixedKey('session id').slice(0, 16)
  const [serverKey, dealerKey] = [fixedKey('server identity'), fixedKey('dealer identity')]
  const transcript = await transcriptHash({
    protocolVersion: PROTOCOL_VERSION,
    sessionId,
    modelHash: hex(fixedKey('model')),
    planHash: hex(fixedKey('plan')),
    profile: 'fixed',
    dealerKey,
    serverKey,
    ownerEphemeral: fixedKey('owner ephemeral'),
    dealerEphemeral: fixedKey('dealer ephemeral'),
  })
  const secret = fixedKey('secret of owner and dealer')
  const derived = (purpose: string): Promise<Uint8Array> => hkdf(secret, transcript, purpose)
  const mac = await newMac(await derived(keyPurpose.passMac))
  const nonces = [fixedKey('server nonce'), fixedKey('dealer nonce')]
  const chunk = fixedKey('material')
  const frame = encodeFrame({
    type: FrameType.data,
    flags: FrameFlag.end | FrameFlag.reply,
    seq: 7,
    ack: 5,
    payload: chunk,
  })
  const split = await aesEncrypt(await derived(keyPurpose.splitSeed), fixedKey('split seed'), transcript)
  return {
    protocolVersion: String(PROTOCOL_VERSION),
    transcript: hex(transcript),
    seed: hex(await derived(keyPurpose.seed)),
    splitSeed: hex(split),
    dealerAnswer: sha256(signedBytes.dealerAnswer(transcript)),
    serverWelcome: sha256(signedBytes.serverWelcome(transcript, fixedKey('F'))),
    materialServer: sha256(signedBytes.material('server', serverKey, dealerKey, nonces)),
    materialDealer: sha256(signedBytes.material('dealer', serverKey, dealerKey, nonces)),
    passRequest: hex(await sealPass(mac, hex(sessionId), 3, fixedKey('request').slice(0, 16))),
    materialJson: hex(encodeJson({ t: 'used', sessionId: hex(sessionId), pass: 3 })),
    materialChunk: hex(encodePassPart('chunk', hex(sessionId), 3, chunk)),
    materialEnd: hex(encodePassPart('end', hex(sessionId), 3)),
    materialBlob: hex(encodeBlob(2, true, chunk)),
    frame: hex(frame),
  }
}
