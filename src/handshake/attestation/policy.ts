/** What an owner demands of an enclave: a file of theirs, which nobody else can change. Browser-safe. */
import * as v from 'valibot'
import { AttestationError } from './error.ts'

export const POLICY_FORMAT = 'sotto-attestation-policy/1'

const hex = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `expected ${bytes} bytes, lower-case hex`),
  )
const allowed = (bytes: number) => v.pipe(v.array(hex(bytes)), v.minLength(1), v.maxLength(64))
const part = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))
const head = {
  format: v.literal(POLICY_FORMAT),
  /** SHA-256 of the root's certificate, in place of those of the maker that are built in. */
  root: v.optional(hex(32)),
}

const nitro = v.strictObject({
  ...head,
  platform: v.literal('aws-nitro'),
  /** Of each register that must be checked, values that are allowed: of the image, its kernel, its application. */
  pcrs: v.strictObject({ 0: allowed(48), 1: allowed(48), 2: allowed(48), 8: v.optional(allowed(48)) }),
  /** Seconds that evidence may be old. */
  maxAge: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)),
})

const snp = v.strictObject({
  ...head,
  platform: v.literal('amd-sev-snp'),
  measurements: allowed(48),
  /** Least security version of each part of the firmware. */
  minimumTcb: v.strictObject({ bootloader: part, tee: part, snp: part, microcode: part }),
  /** Chips that are allowed; any if not given. */
  chips: v.optional(allowed(64)),
})

const simulator = v.strictObject({
  format: v.literal(POLICY_FORMAT),
  platform: v.literal('simulator'),
  /** The simulator's Ed25519 key. */
  key: hex(32),
})

/** To check a policy with, wherever it comes from. */
export const policySchema = v.pipe(
  v.variant('platform', [nitro, snp, simulator]),
  v.check(
    (policy) =>
      policy.platform !== 'aws-nitro' ||
      !Object.values(policy.pcrs)
        .flat()
        .some((value) => /^0+$/.test(value ?? '')),
    'a register of zeros, which debug enclaves have, must not be allowed',
  ),
)

export type NitroPolicy = v.InferOutput<typeof nitro>
export type SnpPolicy = v.InferOutput<typeof snp>
export type SimulatorPolicy = v.InferOutput<typeof simulator>
export type AttestationPolicy = v.InferOutput<typeof policySchema>

/** Reads a policy file's text. Throws {@link AttestationError} `bad-policy`, which names the first mistake's place. */
export function parsePolicy(text: string): AttestationPolicy {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new AttestationError('bad-policy', 'The policy is not JSON.')
  }
  const result = v.safeParse(policySchema, json)
  if (!result.success) {
    const [issue] = result.issues
    const why = issue.type === 'check' ? `: ${issue.message}` : ''
    const where = v.getDotPath(issue) ?? 'the top level'
    throw new AttestationError('bad-policy', `The policy is wrong at ${where}${why}.`)
  }
  return result.output
}
