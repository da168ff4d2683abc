/** Nitro documents under a root of the tests' own. */
import { Encoder } from 'cbor-x'
import { NONCE_BYTES } from '../../../src/handshake/attestation/attested.ts'
import { newChannelKey } from '../../../src/handshake/attestation/channel.ts'
import { sigStructure } from '../../../src/handshake/attestation/cose-sign1.ts'
import { type NitroPolicy, POLICY_FORMAT } from '../../../src/handshake/attestation/policy.ts'
import { toHex } from '../../../src/handshake/encoding.ts'
import { type Issued, issue, NOW, pinOf } from './certificates.ts'

const encoder = new Encoder({ tagUint8Array: false, useRecords: false, mapsAsObjects: false })
const HEADER = Uint8Array.of(0xa1, 0x01, 0x38, 0x22)
export const nonce = new Uint8Array(NONCE_BYTES).fill(7)

export const registers = (): Map<number, Uint8Array> =>
  new Map(Array.from({ length: 16 }, (_, i) => [i, new Uint8Array(48).fill(i < 3 ? i + 1 : 0)]))

/** Chain, key, and what a good document says. */
export async function nitroWorld() {
  const root = await issue({ name: 'root', kind: 'ECDSA', isAuthority: true })
  const zone = await issue({ name: 'zone', kind: 'ECDSA', issuer: root, isAuthority: true, pathLength: 0 })
  const leaf = await issue({ name: 'enclave', kind: 'ECDSA', issuer: zone, isAuthority: false })
  const { publicKey } = await newChannelKey()
  const fields = (): Record<string, unknown> => ({
    module_id: 'i-1234-enc5678',
    digest: 'SHA384',
    timestamp: NOW.getTime() - 1000,
    pcrs: registers(),
    certificate: leaf.der,
    cabundle: [root.der, zone.der],
    public_key: publicKey,
    user_data: null,
    nonce,
  })
  const policy: NitroPolicy = {
    format: POLICY_FORMAT,
    platform: 'aws-nitro',
    root: await pinOf(root),
    pcrs: { 0: [hexOf(1)], 1: [hexOf(9), hexOf(2)], 2: [hexOf(3)] },
    maxAge: 300,
  }
  return { root, zone, leaf, publicKey, policy, fields, demand: { nonce, at: NOW } }
}

const hexOf = (byte: number): string => toHex(new Uint8Array(48).fill(byte))

/** A document with these fields, signed. */
export async function signedDocument(
  fields: Readonly<Record<string, unknown>>,
  { keys }: Issued,
  header = HEADER,
): Promise<Uint8Array> {
  const payload = new Uint8Array(encoder.encode(new Map(Object.entries(fields))))
  const signature = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-384' },
    keys.privateKey,
    sigStructure(header, payload) as Uint8Array<ArrayBuffer>,
  )
  return new Uint8Array(encoder.encode([header, new Map(), payload, new Uint8Array(signature)]))
}
