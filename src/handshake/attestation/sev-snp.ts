/** AMD SEV-SNP: a report, and the certificates of the chip that signed it (AMD 57230, "VCEK Certificate"). Browser-safe. */

import { sha512 } from '@noble/hashes/sha2.js'
import type { X509Certificate } from '@peculiar/x509'
import { equalBytes, joinFields, toHex } from '../encoding.ts'
import type { Attested, Demand } from './attested.ts'
import { verifyChain, verifyP384 } from './chain.ts'
import { AttestationError } from './error.ts'
import type { SnpPolicy } from './policy.ts'
import { parseReport, type SnpReport, type Tcb } from './snp-report.ts'

/** SHA-256 of AMD's root certificates (ARK): of Milan and of Genoa. */
const AMD_ROOTS = [
  '69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd',
  '4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1',
]

/** Extensions of a VCEK: the chip, and the firmware that its key is of. */
const HARDWARE_ID = '1.3.6.1.4.1.3704.1.4'
const VERSIONS: Readonly<Record<keyof Tcb, string>> = {
  bootloader: '1.3.6.1.4.1.3704.1.3.1',
  tee: '1.3.6.1.4.1.3704.1.3.2',
  snp: '1.3.6.1.4.1.3704.1.3.3',
  microcode: '1.3.6.1.4.1.3704.1.3.8',
}
const INTEGER = 0x02
const OCTETS = 0x04

export interface SnpEvidence {
  readonly report: Uint8Array
  /** DER: the root's (ARK), the one that it signed (ASK), and the chip's (VCEK). */
  readonly chain: readonly Uint8Array[]
  /** The key that the report vouches for by its hash. */
  readonly channelKey: Uint8Array
}

/** What a report's 64 bytes of its guest's own have to be: H(nonce, key), SHA-512 (FIPS 180-4). */
export const reportDataOf = (nonce: Uint8Array, channelKey: Uint8Array): Uint8Array =>
  sha512(joinFields(['sotto attested key 1', nonce, channelKey]))

/**
 * Checks a report: chain up to AMD's root, dates, the chip's signature, that nobody can look in or move the machine away,
 * what runs there, firmware, chip, nonce and key. Rejects with {@link AttestationError}.
 */
export async function verifySnp(evidence: SnpEvidence, policy: SnpPolicy, demand: Demand): Promise<Attested> {
  const report = parseReport(evidence.report)
  if (evidence.chain.length !== 3)
    throw new AttestationError('bad-chain', 'A chain of AMD has three certificates: ARK, ASK, VCEK.')
  const vcek = await verifyChain(evidence.chain, {
    roots: policy.root ? [policy.root] : AMD_ROOTS,
    at: demand.at,
    algorithm: 'RSA-PSS',
  })
  if (report.signingKey !== 0 || report.isChipMasked)
    throw new AttestationError('wrong-chip', 'The report is not signed with the key of a chip that it names.')
  if (!(await verifyP384(vcek, report.signature, report.signed)))
    throw new AttestationError('bad-signature', 'The report’s signature does not hold.')
  checkChip(report, vcek)
  checkGuest(report, policy)
  checkFirmware(report, policy.minimumTcb)
  if (!equalBytes(report.reportData, reportDataOf(demand.nonce, evidence.channelKey)))
    throw new AttestationError('wrong-nonce', 'The report was made for another nonce, or another key.')
  return {
    platform: 'amd-sev-snp',
    isAttested: true,
    channelKey: evidence.channelKey,
    measurements: { launch: toHex(report.measurement) },
    machine: toHex(report.chipId),
  }
}

/** A VCEK is of one chip and one version of its firmware. */
function checkChip(report: SnpReport, vcek: X509Certificate): void {
  if (!equalBytes(report.chipId, extensionOf(vcek, HARDWARE_ID)))
    throw new AttestationError('wrong-chip', 'The certificate is of another chip than the report.')
  for (const part of partsOf(report.tcbs.reported)) {
    const [version, ...more] = extensionOf(vcek, VERSIONS[part])
    if (more.length > 0 || version !== report.tcbs.reported[part])
      throw new AttestationError(
        'wrong-chip',
        `The certificate is of other firmware than the report (${part}).`,
      )
  }
}

/** What an extension of AMD's holds: an integer, in one byte or with a zero before it, or octets that may be bare. */
function extensionOf(vcek: X509Certificate, type: string): Uint8Array {
  const found = vcek.getExtensions(type)
  if (found.length !== 1)
    throw new AttestationError('malformed', `The chip’s certificate has ${found.length} extensions ${type}.`)
  const value = new Uint8Array(found[0].value)
  const isWrapped = value[1] === value.length - 2
  if (type === HARDWARE_ID)
    return isWrapped && value[0] === OCTETS && value.length === 66 ? value.subarray(2) : value
  if (!isWrapped || value[0] !== INTEGER)
    throw new AttestationError('malformed', `The chip’s certificate has no number in ${type}.`)
  return value.subarray(value.length === 4 && value[2] === 0 ? 3 : 2)
}

function checkGuest(report: SnpReport, policy: SnpPolicy): void {
  if (report.isDebugged)
    throw new AttestationError('debug', 'The guest may be debugged: its host can read its memory.')
  if (report.mayMigrate)
    throw new AttestationError('debug', 'The guest may migrate: its memory may leave the machine.')
  if (report.vmpl !== 0)
    throw new AttestationError('wrong-measurement', `The report was asked for at VMPL ${report.vmpl}, not 0.`)
  const measurement = toHex(report.measurement)
  if (!policy.measurements.includes(measurement))
    throw new AttestationError(
      'wrong-measurement',
      `The guest’s measurement is ${measurement}, which the policy does not allow.`,
    )
  if (policy.chips && !policy.chips.includes(toHex(report.chipId)))
    throw new AttestationError('wrong-chip', 'The chip is none of those that the policy allows.')
}

function checkFirmware({ tcbs }: SnpReport, minimum: Tcb): void {
  for (const [when, tcb] of Object.entries(tcbs))
    for (const part of partsOf(minimum))
      if (tcb[part] < minimum[part])
        throw new AttestationError(
          'old-firmware',
          `The firmware's ${part} is ${tcb[part]} (${when}), and the policy demands ${minimum[part]}.`,
        )
}

const partsOf = (tcb: Tcb) => Object.keys(tcb) as (keyof Tcb)[]
