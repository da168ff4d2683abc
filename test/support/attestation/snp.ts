/** SEV-SNP reports under a root of the tests' own. */
import 'reflect-metadata'
import { Extension } from '@peculiar/x509'
import { newChannelKey } from '../../../src/handshake/attestation/channel.ts'
import { POLICY_FORMAT, type SnpPolicy } from '../../../src/handshake/attestation/policy.ts'
import { reportDataOf } from '../../../src/handshake/attestation/sev-snp.ts'
import { toHex } from '../../../src/handshake/encoding.ts'
import { type Issued, issue, NOW, pinOf } from './certificates.ts'
import { nonce } from './nitro.ts'

const SIGNED = 0x2a0
const chipId = new Uint8Array(64).map((_, i) => i + 1)
const measurement = new Uint8Array(48).fill(0xab)
/** Bootloader, TEE, SNP, microcode where the firmware has them. */
const tcb = [3, 1, 0, 0, 0, 0, 8, 115]

const number = (oid: string, value: number): Extension =>
  new Extension(
    `1.3.6.1.4.1.3704.1.${oid}`,
    false,
    value < 128 ? Uint8Array.of(2, 1, value) : Uint8Array.of(2, 2, 0, value),
  )

export const vcekExtensions = (chip = chipId, microcode = 115): Extension[] => [
  number('3.1', 3),
  number('3.2', 1),
  number('3.3', 8),
  number('3.8', microcode),
  new Extension('1.3.6.1.4.1.3704.1.4', false, chip as Uint8Array<ArrayBuffer>),
]

export async function snpWorld() {
  const ark = await issue({ name: 'ARK', kind: 'RSA-PSS', isAuthority: true })
  const ask = await issue({ name: 'ASK', kind: 'RSA-PSS', issuer: ark, isAuthority: true })
  const vcek = await vcekOf(ask)
  const { publicKey: channelKey } = await newChannelKey()
  const policy: SnpPolicy = {
    format: POLICY_FORMAT,
    platform: 'amd-sev-snp',
    root: await pinOf(ark),
    measurements: [toHex(measurement)],
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    chips: [toHex(chipId)],
  }
  const chain = [ark.der, ask.der, vcek.der]
  return { ark, ask, vcek, channelKey, policy, chain, demand: { nonce, at: NOW } }
}

export const vcekOf = (ask: Issued, extensions = vcekExtensions()): Promise<Issued> =>
  issue({ name: 'VCEK', kind: 'ECDSA', issuer: ask, isAuthority: false, extensions })

/** A good report, with `change` made to it before it is signed. */
export async function signedReport(
  { vcek, channelKey }: { vcek: Issued; channelKey: Uint8Array },
  change: (report: Uint8Array) => void = () => undefined,
): Promise<Uint8Array> {
  const report = new Uint8Array(0x4a0)
  const view = new DataView(report.buffer)
  view.setUint32(0, 2, true)
  view.setUint32(8, 0x30000, true)
  view.setUint32(0x34, 1, true)
  report.set(reportDataOf(nonce, channelKey), 0x50)
  report.set(measurement, 0x90)
  report.set(chipId, 0x1a0)
  for (const at of [0x38, 0x180, 0x1e0, 0x1f0]) report.set(tcb, at)
  change(report)
  const signature = new Uint8Array(
    await crypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-384' },
      vcek.keys.privateKey,
      report.slice(0, SIGNED),
    ),
  )
  report.set(signature.slice(0, 48).reverse(), SIGNED)
  report.set(signature.slice(48).reverse(), SIGNED + 72)
  return report
}
