/** The enclave's side of a simulation: evidence that nothing vouches for. */
import type { Identity } from '../crypto.ts'
import { toBase64Url, toHex } from '../encoding.ts'
import { EVIDENCE_FORMAT, type EvidenceJson } from './evidence.ts'
import { POLICY_FORMAT, type SimulatorPolicy } from './policy.ts'
import { simulatedStatement } from './simulator.ts'

/** Evidence for a key, after the owner's nonce. */
export async function simulateEvidence(
  identity: Identity,
  nonce: Uint8Array,
  channelKey: Uint8Array,
): Promise<EvidenceJson> {
  const signature = await identity.sign(simulatedStatement(nonce, channelKey))
  return {
    format: EVIDENCE_FORMAT,
    platform: 'simulator',
    signature: toBase64Url(signature),
    channelKey: toBase64Url(channelKey),
  }
}

/** The policy that takes this simulator's evidence, and no other. */
export const simulatorPolicy = ({ publicKey }: Identity): SimulatorPolicy => ({
  format: POLICY_FORMAT,
  platform: 'simulator',
  key: toHex(publicKey),
})
