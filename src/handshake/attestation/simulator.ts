/** A simulated enclave: the same steps on any machine, for trying them out. Nothing vouches for it, and it says so. */
import { sha256, verify } from '../crypto.ts'
import { fromHex, joinFields, toHex } from '../encoding.ts'
import type { Attested, Demand } from './attested.ts'
import { AttestationError } from './error.ts'
import type { SimulatorPolicy } from './policy.ts'

export interface SimulatorEvidence {
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array
  readonly channelKey: Uint8Array
}

/** What a simulator signs. */
export const simulatedStatement = (nonce: Uint8Array, channelKey: Uint8Array): Uint8Array =>
  joinFields(['sotto simulated enclave 1', nonce, channelKey])

/** Checks that the simulator of the policy has signed. Rejects with {@link AttestationError}. */
export async function verifySimulator(
  { signature, channelKey }: SimulatorEvidence,
  { key }: SimulatorPolicy,
  { nonce }: Demand,
): Promise<Attested> {
  const publicKey = fromHex(key)
  if (!(await verify(publicKey, signature, simulatedStatement(nonce, channelKey))))
    throw new AttestationError('bad-signature', 'The simulator’s signature does not hold.')
  return {
    platform: 'simulator',
    isAttested: false,
    channelKey,
    measurements: {},
    machine: `simulator ${toHex(await sha256(publicKey)).slice(0, 8)}`,
  }
}
