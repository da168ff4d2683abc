/** Whether a model's private weights fit a party's memory, told before any of them is made. */
import { SessionError } from '../../../handshake/errors.ts'
import { WASM_BYTES } from '../../../kernels/wasm/arena.ts'
import { ringWidth } from '../../../kernels/wasm/narrow.ts'
import type { WeightUse } from '../plan.ts'

/** Of WebAssembly's memory, for what passes take besides. */
const SPARE_BYTES = 128 << 20

/** Bytes of b at the dealer, and of F at an owner, which are as wide as their rings: the most that a party keeps. */
export const maskedBytes = (uses: readonly Pick<WeightUse, 'k' | 'n' | 'ring'>[]): number =>
  uses.reduce((sum, { k, n, ring }) => sum + k * n * ringWidth(ring), 0)

/**
 * Throws `SessionError` (`model-too-large`) for a model whose private weights, masked, are more than a WebAssembly memory holds.
 */
export function refuseTooLarge(name: string, uses: readonly Pick<WeightUse, 'k' | 'n' | 'ring'>[]): void {
  const bytes = maskedBytes(uses)
  if (bytes <= WASM_BYTES - SPARE_BYTES) return
  const weights = uses.reduce((sum, { k, n }) => sum + k * n, 0)
  throw new SessionError(
    'model-too-large',
    `The model '${name}' has ${Math.round(weights / 1e6)} million private weights. Masked they take ${gigabytes(bytes)}, and the memory that parties compute in ends at ${gigabytes(WASM_BYTES)}.`,
  )
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
