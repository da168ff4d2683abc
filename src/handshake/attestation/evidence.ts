/** Evidence as it travels and is kept: JSON, whatever the platform. Browser-safe. */
import { base64urlnopad } from '@scure/base'
import * as v from 'valibot'
import type { Attested, Demand } from './attested.ts'
import { AttestationError } from './error.ts'
import { verifyNitro } from './nitro.ts'
import type { AttestationPolicy } from './policy.ts'
import { verifySnp } from './sev-snp.ts'
import { verifySimulator } from './simulator.ts'

export const EVIDENCE_FORMAT = 'sotto-evidence/1'

const bytes = v.pipe(
  v.string(),
  v.maxLength(96 * 1024),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return base64urlnopad.decode(dataset.value)
    } catch {
      addIssue({ message: 'expected base64url' })
      return NEVER
    }
  }),
)

const evidenceSchema = v.variant('platform', [
  v.strictObject({ format: v.literal(EVIDENCE_FORMAT), platform: v.literal('aws-nitro'), document: bytes }),
  v.strictObject({
    format: v.literal(EVIDENCE_FORMAT),
    platform: v.literal('amd-sev-snp'),
    report: bytes,
    /** ARK, ASK, VCEK: DER. */
    chain: v.pipe(v.array(bytes), v.maxLength(3)),
    channelKey: bytes,
  }),
  v.strictObject({
    format: v.literal(EVIDENCE_FORMAT),
    platform: v.literal('simulator'),
    signature: bytes,
    channelKey: bytes,
  }),
])

/** As it travels: bytes are base64url. */
export type EvidenceJson = v.InferInput<typeof evidenceSchema>
export type Evidence = v.InferOutput<typeof evidenceSchema>

/** Checks the form of what the other side sent. Throws {@link AttestationError} `malformed`. */
export function parseEvidence(value: unknown): Evidence {
  const result = v.safeParse(evidenceSchema, value)
  if (result.success) return result.output
  const where = v.getDotPath(result.issues[0]) ?? 'the top level'
  throw new AttestationError('malformed', `The evidence is wrong at ${where}.`)
}

/** Holds evidence against a policy. Rejects with {@link AttestationError}. */
export async function verifyEvidence(
  evidence: Evidence,
  policy: AttestationPolicy,
  demand: Demand,
): Promise<Attested> {
  if (evidence.platform === 'aws-nitro' && policy.platform === 'aws-nitro')
    return verifyNitro(evidence.document, policy, demand)
  if (evidence.platform === 'amd-sev-snp' && policy.platform === 'amd-sev-snp')
    return verifySnp(evidence, policy, demand)
  if (evidence.platform === 'simulator' && policy.platform === 'simulator')
    return verifySimulator(evidence, policy, demand)
  if (evidence.platform === 'simulator')
    throw new AttestationError('simulated', 'The enclave is a simulator: it is not attested.')
  throw new AttestationError(
    'other-platform',
    `The evidence is of ${evidence.platform}, and the policy is for ${policy.platform}.`,
  )
}
