import {
  type Contraction,
  type ContractionKernels,
  type ContractionTerm,
  checkContraction,
  contractionSizes,
} from '../contraction.ts'
import type { Ring } from './module.ts'

function contract(
  ring: Ring,
  kind: 'scores' | 'mix',
  terms: readonly ContractionTerm[],
  o: Contraction,
): BigUint64Array {
  checkContraction(kind, terms, o)
  const { x, arena } = ring
  const { left, right, out } = contractionSizes(kind, o)
  // A row's columns are read in pairs: room for one past the last.
  const block = arena.alloc(8 * (left + right + out) + 8)
  const sum = new BigUint64Array(arena.memory.buffer, block, out).fill(0n)
  const [a, b] = [block + 8 * out, block + 8 * (out + left)]
  const run = kind === 'scores' ? x.contractScores : x.contractMix
  for (const [l, r] of terms) {
    new BigUint64Array(arena.memory.buffer, a, left).set(l)
    new BigUint64Array(arena.memory.buffer, b, right).set(r)
    run(a, b, block, o.rows, o.seen, o.step, o.heads, o.kvHeads, o.headDim)
  }
  const result = sum.slice()
  arena.free(block)
  return result
}

/** Attention's products by the module. */
export const wasmContraction = (ring: Ring): ContractionKernels => ({
  contract: (kind, terms, o) => contract(ring, kind, terms, o),
})
