/** AWS Nitro attestation documents: what makes one believable (AWS, "Verifying the root of trust"). Browser-safe. */
import * as v from 'valibot'
import { equalBytes, toHex } from '../encoding.ts'
import type { Attested, Demand } from './attested.ts'
import { verifyChain, verifyP384 } from './chain.ts'
import { decodeCbor, decodeSign1 } from './cose-sign1.ts'
import { AttestationError } from './error.ts'
import type { NitroPolicy } from './policy.ts'

/** SHA-256 of the certificate of aws.nitro-enclaves, G1, as AWS publishes it. */
const AWS_ROOT = '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b'
/** Clocks may differ by so much. */
const SKEW_MS = 60_000
const MOST_BYTES = 64 * 1024

const blob = (most: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check(({ length }) => length > 0 && length <= most),
  )
const register = v.pipe(
  v.instance(Uint8Array),
  v.check(({ length }) => length === 48),
)

const documentSchema = v.object({
  module_id: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
  digest: v.literal('SHA384'),
  /** Milliseconds since 1970. */
  timestamp: v.pipe(v.union([v.number(), v.bigint()]), v.transform(Number), v.integer(), v.minValue(1)),
  pcrs: v.pipe(
    v.map(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31)), register),
    v.check(({ size }) => size >= 1 && size <= 32),
  ),
  certificate: blob(4096),
  cabundle: v.pipe(v.array(blob(4096)), v.minLength(1), v.maxLength(7)),
  public_key: v.optional(v.nullable(blob(1024))),
  user_data: v.optional(v.nullable(v.instance(Uint8Array))),
  nonce: v.optional(v.nullable(v.instance(Uint8Array))),
})

/**
 * Checks a document (COSE_Sign1, `MOST_BYTES` at most): chain up to the root, every date, the signature, its age, the nonce,
 * the registers. Rejects with {@link AttestationError}.
 */
export async function verifyNitro(
  document: Uint8Array,
  policy: NitroPolicy,
  { nonce, at }: Demand,
): Promise<Attested> {
  if (document.length > MOST_BYTES) throw new AttestationError('malformed', 'The document is too large.')
  const { payload, signature, signed } = decodeSign1(document)
  const read = decodeCbor(payload, 'The document’s payload')
  const result = v.safeParse(documentSchema, read instanceof Map ? Object.fromEntries(read) : undefined)
  if (!result.success) {
    const where = v.getDotPath(result.issues[0]) ?? 'its form'
    throw new AttestationError('malformed', `The document’s payload is wrong at ${where}.`)
  }
  const said = result.output
  const roots = [policy.root ?? AWS_ROOT]
  const leaf = await verifyChain([...said.cabundle, said.certificate], {
    roots,
    at,
    algorithm: 'ECDSA P-384',
  })
  if (!(await verifyP384(leaf, signature, signed)))
    throw new AttestationError('bad-signature', 'The document’s signature does not hold.')
  checkAge(said.timestamp, policy.maxAge, at)
  const measurements = checkRegisters(said.pcrs, policy)
  if (!said.nonce || !equalBytes(said.nonce, nonce))
    throw new AttestationError('wrong-nonce', 'The document has another nonce than the one that was sent.')
  if (!said.public_key) throw new AttestationError('wrong-key', 'The document vouches for no key.')
  return {
    platform: 'aws-nitro',
    isAttested: true,
    channelKey: said.public_key,
    measurements,
    machine: said.module_id,
    issued: new Date(said.timestamp),
  }
}

function checkAge(timestamp: number, maxAge: number, at: Date): void {
  const age = at.getTime() - timestamp
  if (age < -SKEW_MS)
    throw new AttestationError('stale', `The document is dated ${Math.round(-age / 1000)} s in the future.`)
  if (age > 1000 * maxAge)
    throw new AttestationError(
      'stale',
      `The document is ${Math.round(age / 1000)} s old, and ${maxAge} s are allowed.`,
    )
}

function checkRegisters(pcrs: ReadonlyMap<number, Uint8Array>, policy: NitroPolicy): Record<string, string> {
  const measurements: Record<string, string> = {}
  for (const [index, allowed] of Object.entries(policy.pcrs)) {
    if (!allowed) continue
    const value = pcrs.get(Number(index))
    if (!value) throw new AttestationError('wrong-measurement', `The document has no PCR${index}.`)
    if (value.every((byte) => byte === 0))
      throw new AttestationError('debug', `PCR${index} is zero: this is a debug enclave.`)
    const hex = toHex(value)
    if (!allowed.includes(hex))
      throw new AttestationError(
        'wrong-measurement',
        `PCR${index} is ${hex}, which the policy does not allow.`,
      )
    measurements[`PCR${index}`] = hex
  }
  return measurements
}
