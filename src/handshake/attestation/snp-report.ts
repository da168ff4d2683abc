/** AMD SEV-SNP attestation reports (AMD 56860, "SEV-SNP Firmware ABI Specification", table 23): 1184 bytes. */
import { AttestationError } from './error.ts'

export const REPORT_BYTES = 0x4a0
/** What the signature is over. */
const SIGNED_BYTES = 0x2a0
/** An integer of the signature, little-endian; P-384 has 48 bytes of them. */
const INTEGER_BYTES = 72
const P384_BYTES = 48

/** Security versions of the firmware's parts, of Milan and Genoa. */
export interface Tcb {
  readonly bootloader: number
  readonly tee: number
  readonly snp: number
  readonly microcode: number
}

export interface SnpReport {
  readonly version: number
  readonly vmpl: number
  readonly isDebugged: boolean
  readonly mayMigrate: boolean
  /** 0: the chip's own key (VCEK). */
  readonly signingKey: number
  readonly isChipMasked: boolean
  readonly reportData: Uint8Array
  readonly measurement: Uint8Array
  readonly chipId: Uint8Array
  readonly tcbs: Readonly<Record<'current' | 'reported' | 'committed' | 'launch', Tcb>>
  readonly signed: Uint8Array
  /** r | s, big-endian. */
  readonly signature: Uint8Array
}

/** Bits of the guest's policy (table 10). */
const MUST_BE_ONE = 1 << 17
const MAY_MIGRATE = 1 << 18
const MAY_DEBUG = 1 << 19

/** ECDSA P-384 with SHA-384. */
const ALGORITHM = 1
const VERSIONS = [2, 3, 4, 5]

/** Takes a report apart. Throws {@link AttestationError} `malformed`. */
export function parseReport(report: Uint8Array): SnpReport {
  if (report.length !== REPORT_BYTES)
    throw new AttestationError('malformed', `A report has ${REPORT_BYTES} bytes, not ${report.length}.`)
  const view = new DataView(report.buffer, report.byteOffset, report.length)
  const word = (at: number): number => view.getUint32(at, true)
  const version = word(0)
  if (!VERSIONS.includes(version))
    throw new AttestationError('malformed', `The report is of version ${version}, which is not known here.`)
  const policy = word(8)
  if (!(policy & MUST_BE_ONE)) throw new AttestationError('malformed', 'The report has no guest policy.')
  if (word(0x34) !== ALGORITHM)
    throw new AttestationError('malformed', 'The report is not signed with ECDSA P-384.')
  const keys = word(0x48)
  return {
    version,
    vmpl: word(0x30),
    isDebugged: (policy & MAY_DEBUG) !== 0,
    mayMigrate: (policy & MAY_MIGRATE) !== 0,
    signingKey: (keys >> 2) & 7,
    isChipMasked: ((keys >> 1) & 1) === 1,
    reportData: report.slice(0x50, 0x90),
    measurement: report.slice(0x90, 0xc0),
    chipId: report.slice(0x1a0, 0x1e0),
    tcbs: {
      current: tcbAt(report, 0x38),
      reported: tcbAt(report, 0x180),
      committed: tcbAt(report, 0x1e0),
      launch: tcbAt(report, 0x1f0),
    },
    signed: report.slice(0, SIGNED_BYTES),
    signature: signatureOf(report.subarray(SIGNED_BYTES)),
  }
}

const tcbAt = (report: Uint8Array, at: number): Tcb => ({
  bootloader: report[at],
  tee: report[at + 1],
  snp: report[at + 6],
  microcode: report[at + 7],
})

/** Whatever is not of the two integers must be zero. */
function signatureOf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * P384_BYTES)
  bytes.forEach((byte, i) => {
    const [integer, at] = [Math.floor(i / INTEGER_BYTES), i % INTEGER_BYTES]
    if (integer < 2 && at < P384_BYTES) out[(integer + 1) * P384_BYTES - 1 - at] = byte
    else if (byte !== 0) throw new AttestationError('malformed', 'The report’s signature is too long.')
  })
  return out
}
