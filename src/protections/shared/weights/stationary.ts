/** Stationary masks F of private weights, and what is left of the weights under them. */
import type { Kernels, Matrix } from '../../../kernels/kernels.ts'
import type { Plan, WeightUse } from '../plan.ts'
import { nonce, Prg, weightMaskStream, weightSumStream } from '../prg.ts'
import type { Lanes } from '../ring.ts'

/** The private weights of a plan, in order: the index is what tells their stationary masks apart. */
export const privateWeights = (plan: Plan): WeightUse[] =>
  plan.weights.filter((w) => w.visibility === 'private')

/**
 * The owner's keystreams of a private weight's product a·F + c: of the mask a of what it multiplies, and of its share c of
 * what is dealt.
 */
export const productStreams = ({
  index,
  maskStream = weightMaskStream(index),
}: Pick<WeightUse, 'index' | 'maskStream'>): { a: number; c: number } => ({
  a: maskStream,
  c: weightSumStream(index),
})

/** Nonce of a private weight's stationary mask. */
export const stationaryNonce = (index: number): Uint8Array => nonce(index, 0)

/** Rows of b that are made at a time: a multiple of 8, whose words begin a block of keystream and whose bits fill bytes. */
const rowsAtOnce = (n: number): number => Math.max(8, 8 * Math.floor(PIECE / (8 * n)))
/** Elements that are in memory as words. */
const PIECE = 1 << 18

/** The words of F behind `rows` rows of W from `from` on. */
function maskWords(kernels: Kernels, key: Uint8Array, index: number, n: number, from: number, rows: number) {
  const words = new Uint8Array(8 * rows * n)
  new Prg(kernels, key).raw(index, 0, words, 8 * from * n)
  return words
}

/**
 * b = W - F mod 2^ring, [k x n], packed: what a server registers at its dealer, who multiplies by it. It is uniform, because
 * F is.
 *
 * @param key of the stationary masks
 * @param index the weight's place among `privateWeights`
 */
export function packedDifference(
  kernels: Kernels,
  key: Uint8Array,
  index: number,
  { ring, k, n }: WeightUse,
  w: Matrix,
): Uint8Array {
  const out = new Uint8Array(Math.ceil((k * n * ring) / 8))
  const most = rowsAtOnce(n)
  for (let from = 0; from < k; from += most) {
    const rows = Math.min(most, k - from)
    const words = maskWords(kernels, key, index, n, from, rows)
    out.set(kernels.packDifference(kernels.read(w, from, rows), words, ring), (from * n * ring) / 8)
  }
  return out
}

/** w less its mask, as lanes mod 2^ring, [k x n]. */
export function difference(
  kernels: Kernels,
  key: Uint8Array,
  index: number,
  use: WeightUse,
  w: Matrix,
): Lanes {
  return kernels.unpack(packedDifference(kernels, key, index, use, w), use.ring, use.k * use.n)
}
