import { expect, it } from 'vitest'
import { toHex } from '../../../handshake/encoding.ts'
import { signedBytes, type Transcript, transcriptHash } from './transcript.ts'

const bytes = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const transcript: Transcript = {
  protocolVersion: 1,
  sessionId: bytes(1),
  modelHash: 'aa',
  planHash: 'bb',
  profile: 'fixed',
  dealerKey: bytes(2),
  serverKey: bytes(3),
  ownerEphemeral: bytes(4),
  dealerEphemeral: bytes(5),
}
const changed: Record<keyof Transcript, Transcript> = {
  protocolVersion: { ...transcript, protocolVersion: 2 },
  sessionId: { ...transcript, sessionId: bytes(9) },
  modelHash: { ...transcript, modelHash: 'ac' },
  planHash: { ...transcript, planHash: 'ac' },
  profile: { ...transcript, profile: 'other' },
  dealerKey: { ...transcript, dealerKey: bytes(9) },
  serverKey: { ...transcript, serverKey: bytes(9) },
  ownerEphemeral: { ...transcript, ownerEphemeral: bytes(9) },
  dealerEphemeral: { ...transcript, dealerEphemeral: bytes(9) },
}

it('a session is bound to every field of its transcript, each in its place', async () => {
  const { modelHash, planHash, dealerKey, serverKey, ownerEphemeral, dealerEphemeral } = transcript
  const all = [
    transcript,
    ...Object.values(changed),
    { ...transcript, modelHash: planHash, planHash: modelHash },
    { ...transcript, dealerKey: serverKey, serverKey: dealerKey },
    { ...transcript, ownerEphemeral: dealerEphemeral, dealerEphemeral: ownerEphemeral },
    { ...transcript, modelHash: 'aab', planHash: 'b' },
  ]
  const hashes = await Promise.all(all.map(async (t) => toHex(await transcriptHash(t))))
  expect(new Set(hashes).size).toBe(all.length)
})

it('what is signed for one purpose is never what is signed for another', () => {
  const material = (role: 'server' | 'dealer', nonces: number[]) =>
    signedBytes.material(role, bytes(3), bytes(2), nonces.map(bytes))
  const signed = [
    signedBytes.dealerAnswer(bytes(1)),
    signedBytes.dealerAnswer(bytes(2)),
    signedBytes.serverWelcome(bytes(1), bytes(7)),
    signedBytes.serverWelcome(bytes(1), bytes(8)),
    signedBytes.serverWelcome(bytes(2), bytes(7)),
    material('server', [1, 2]),
    material('dealer', [1, 2]),
    material('server', [2, 1]),
    material('server', [1, 3]),
  ]
  expect(new Set(signed.map(toHex)).size).toBe(signed.length)
})
