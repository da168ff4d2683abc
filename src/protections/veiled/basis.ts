/** Secret changes of basis, by what they leave as it is. */
import { chain, identity, type LinearMap, monomial } from './linear-map.ts'
import type { SecretStream } from './secret-stream.ts'

/** Permutes. */
export const permuted = (random: SecretStream, size: number, fixed?: readonly number[]): LinearMap =>
  monomial(random.permutation(size, fixed))

/** Permutes and changes signs: lengths stay as they are, and every bit of a float but one. */
export const signed = (random: SecretStream, size: number): LinearMap =>
  monomial(random.permutation(size), random.signs(size))

const hadamards = (size: number, block: number): LinearMap =>
  block === 1 ? identity(size) : { size, steps: [{ kind: 'hadamard', block }] }

/**
 * The block of a randomised Hadamard transform of two rounds: the smallest power of two by which every output depends on
 * every input, about four times over, or the largest that divides the size.
 */
function blockOf(size: number): number {
  let block = 1
  while (size % (2 * block) === 0 && block * block < 4 * size) block *= 2
  return block
}

/** Rounds until every output may depend on every input. */
const roundsOf = (size: number, block: number): number =>
  block === 1 ? 1 : Math.max(2, Math.ceil(Math.log(size) / Math.log(block)))

/**
 * An orthogonal map: rounds of permutation, signs, and Hadamard transforms of blocks (Ailon and Chazelle, 2006). An odd
 * size has signs and a permutation alone.
 */
export function rotated(random: SecretStream, size: number): LinearMap {
  const block = blockOf(size)
  const rounds: LinearMap[] = []
  for (let i = roundsOf(size, block); i > 0; i--) rounds.push(signed(random, size), hadamards(size, block))
  return chain(...rounds, signed(random, size))
}

/**
 * An orthogonal map that leaves the mean as it is, 1 R = 1, which is what LayerNorm lets pass: rounds of permutation and
 * H S H, where S permutes and changes signs but of the first component of each block, which holds the block's mean.
 */
export function rotatedWithMean(random: SecretStream, size: number): LinearMap {
  const block = blockOf(size)
  const h = hadamards(size, block)
  const rounds: LinearMap[] = []
  for (let i = block === size ? 1 : roundsOf(size, block); i > 0; i--)
    rounds.push(permuted(random, size), h, signedButMeans(random, size, block), h)
  return chain(...rounds, permuted(random, size))
}

function signedButMeans(random: SecretStream, size: number, block: number): LinearMap {
  const means = Array.from({ length: size / block }, (_, i) => i * block)
  const from = random.permutation(size, means)
  const scale = random.signs(size)
  for (const i of means) scale[i] = 1
  return monomial(from, scale)
}

/** A factor that a value and the inverse of its partner may be multiplied by: between one half and two. */
export const factors = (random: SecretStream, size: number, isExact: boolean): Float64Array =>
  Float64Array.from({ length: size }, () => 2 ** (isExact ? random.below(3) - 1 : 2 * random.uniform() - 1))
