import { beforeAll, describe, expect, test } from 'vitest'
import { issue, NOW } from '../../../test/support/attestation/certificates.ts'
import { nitroWorld, registers, signedDocument } from '../../../test/support/attestation/nitro.ts'
import { published } from '../../../test/support/attestation/published.ts'
import { verifyNitro } from './nitro.ts'
import type { NitroPolicy } from './policy.ts'

type World = Awaited<ReturnType<typeof nitroWorld>>
let world: World
let good: Uint8Array
beforeAll(async () => {
  world = await nitroWorld()
  good = await signedDocument(world.fields(), world.leaf)
})

const verify = (document: Uint8Array, policy: NitroPolicy = world.policy, demand = world.demand) =>
  verifyNitro(document, policy, demand)
const refused = async (fields: Record<string, unknown>, code: string) =>
  expect(verify(await signedDocument({ ...world.fields(), ...fields }, world.leaf))).rejects.toMatchObject({
    code,
  })

test('a document of the root that is pinned, fresh and of allowed software, tells the key', async () => {
  expect(await verify(good)).toMatchObject({
    platform: 'aws-nitro',
    isAttested: true,
    channelKey: world.publicKey,
    measurements: { PCR0: '01'.repeat(48), PCR1: '02'.repeat(48), PCR2: '03'.repeat(48) },
    machine: 'i-1234-enc5678',
  })
  // The tag of COSE_Sign1 may stand before it, and times may be of 64 bits.
  expect((await verify(Uint8Array.of(0xd2, ...good))).isAttested).toBe(true)
  const wide = { ...world.fields(), timestamp: BigInt(NOW.getTime()) }
  expect((await verify(await signedDocument(wide, world.leaf))).issued).toEqual(NOW)
})

test('whatever bit is altered, it is refused', async () => {
  for (let at = 0; at < good.length; at += at < 16 || at > good.length - 16 ? 1 : 17) {
    const altered = good.slice()
    altered[at] ^= 1 << (at % 8)
    await expect(verify(altered), `byte ${at}`).rejects.toMatchObject({ name: 'AttestationError' })
  }
  for (const length of [0, 1, good.length - 1])
    await expect(verify(good.subarray(0, length))).rejects.toMatchObject({ code: 'malformed' })
  await expect(verify(Uint8Array.of(...good, 0))).rejects.toMatchObject({ code: 'malformed' })
})

describe('what is signed, and must be refused all the same', () => {
  test.each<[string, string, () => Record<string, unknown>]>([
    ['another nonce', 'wrong-nonce', () => ({ nonce: new Uint8Array(32) })],
    ['no nonce', 'wrong-nonce', () => ({ nonce: null })],
    ['no key', 'wrong-key', () => ({ public_key: null })],
    ['too old', 'stale', () => ({ timestamp: NOW.getTime() - 301_000 })],
    ['of the future', 'stale', () => ({ timestamp: NOW.getTime() + 61_000 })],
    ['a debug enclave', 'debug', () => ({ pcrs: registers().set(0, new Uint8Array(48)) })],
    ['a kernel of zeros', 'debug', () => ({ pcrs: registers().set(1, new Uint8Array(48)) })],
    ['other software', 'wrong-measurement', () => ({ pcrs: registers().set(2, new Uint8Array(48).fill(4)) })],
    ['a register too few', 'wrong-measurement', () => ({ pcrs: new Map([[0, new Uint8Array(48).fill(1)]]) })],
    [
      'registers of another hash',
      'malformed',
      () => ({ pcrs: registers().set(0, new Uint8Array(32).fill(1)) }),
    ],
    ['another hash', 'malformed', () => ({ digest: 'SHA256' })],
    ['no name', 'malformed', () => ({ module_id: '' })],
    ['no authorities', 'malformed', () => ({ cabundle: [] })],
    ['a root alone', 'bad-chain', () => ({ cabundle: [world.root.der], certificate: world.leaf.der })],
    ['authorities in disorder', 'untrusted-root', () => ({ cabundle: [world.zone.der, world.root.der] })],
    ['an authority that signs it', 'bad-chain', () => ({ certificate: world.zone.der })],
  ])('%s', (_, code, fields) => refused(fields(), code))

  test('a header that names another algorithm', async () => {
    const header = Uint8Array.of(0xa1, 0x01, 0x26)
    await expect(verify(await signedDocument(world.fields(), world.leaf, header))).rejects.toMatchObject({
      code: 'malformed',
    })
  })

  test('another key', async () => {
    await expect(verify(await signedDocument(world.fields(), world.zone))).rejects.toMatchObject({
      code: 'bad-signature',
    })
  })

  test('another root, though it has the same name', async () => {
    const other = await nitroWorld()
    const document = await signedDocument(other.fields(), other.leaf)
    await expect(verify(document)).rejects.toMatchObject({ code: 'untrusted-root' })
    await expect(verify(document, { ...world.policy, root: undefined })).rejects.toMatchObject({
      code: 'untrusted-root',
    })
  })
})

describe('chains', () => {
  const chained = async (leaf: Parameters<typeof issue>[0], code: string, zone = world.zone) => {
    const issued = await issue(leaf)
    const fields = { ...world.fields(), certificate: issued.der, cabundle: [world.root.der, zone.der] }
    await expect(verify(await signedDocument(fields, issued))).rejects.toMatchObject({ code })
  }
  const leaf = () => ({ name: 'enclave', kind: 'ECDSA', issuer: world.zone, isAuthority: false }) as const

  test('dates', async () => {
    await chained({ ...leaf(), to: new Date(NOW.getTime() - 1) }, 'expired')
    await chained({ ...leaf(), from: new Date(NOW.getTime() + 1000) }, 'expired')
  })

  test('who signed, and what keys are for', async () => {
    await chained({ ...leaf(), issuer: world.root }, 'bad-chain')
    await chained({ ...leaf(), issuer: world.root, issuerName: 'zone' }, 'bad-signature')
    await chained({ ...leaf(), usages: 4 }, 'bad-chain')
    await chained({ ...leaf(), isAuthority: true }, 'bad-chain')
    // An enclave's certificate is no authority for another.
    const zone = await issue({ ...leaf(), name: 'zone', issuer: world.root })
    await chained({ ...leaf(), issuer: zone }, 'bad-chain', zone)
    const short = await issue({
      name: 'zone',
      kind: 'ECDSA',
      issuer: world.root,
      isAuthority: true,
      usages: 1,
    })
    await chained({ ...leaf(), issuer: short }, 'bad-chain', short)
  })
})

test('a published document of a debug enclave is read, and refused for what it is', async () => {
  const at = new Date('2024-09-09T20:00:00Z')
  const demand = { nonce: Uint8Array.of(...new Uint8Array(19), 1), at }
  const { root: _, ...policy } = world.policy
  const lenient = { ...policy, maxAge: 86_400 }
  await expect(verify(published.nitroDebug, lenient, demand)).rejects.toMatchObject({ code: 'debug' })
  await expect(verify(published.nitroDebug, lenient, { ...demand, at: NOW })).rejects.toMatchObject({
    code: 'expired',
  })
})
