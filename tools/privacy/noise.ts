/**
 * The randomness that privacy rests on: Gaussian noise and Poisson batches, both from a cryptographic source.
 *
 * A naive Gaussian sampler takes few of the doubles near a value, and which ones depends on the value before noise:
 * that pattern can give the secret away (Mironov 2012, for Laplace; Jin et al. 2022, for Gauss). Each normal here is
 * therefore half the sum of four from independent Box-Muller pairs (Holohan and Braghin 2021), which takes eight
 * 53-bit uniforms: the preimages of an observed double are then far too many to tell inputs apart. The sum is made in
 * double precision and only its rounding to float32 is kept, which hides the low bits once more.
 */

/** Fills the array with random bytes, however long it is. */
export type RandomSource = (bytes: Uint8Array<ArrayBuffer>) => void

/** Web Crypto hands out at most this much at a time. */
const QUOTA = 65536

/** The platform's cryptographic source. Everything but a test passes this one. */
export const csprng: RandomSource = (bytes) => {
  for (let at = 0; at < bytes.length; at += QUOTA) crypto.getRandomValues(bytes.subarray(at, at + QUOTA))
}

const TWO_53 = 2 ** 53

/** 53 uniform bits, as an integer below 2^53, from two of the words. */
const bits53 = (words: Uint32Array, at: number): number => (words[at] >>> 11) * 2 ** 32 + words[at + 1]

/** One output needs the cosines (or sines) of this many Box-Muller pairs. */
const PAIRS = 4

/**
 * Adds N(0, deviation^2) to every element, independently, in place. Nothing random outlives the call, so a source
 * whose state is saved between calls continues exactly.
 */
export function addGaussian(
  target: Float32Array | Float64Array,
  deviation: number,
  source: RandomSource = csprng,
): void {
  if (!(deviation >= 0 && Number.isFinite(deviation)))
    throw new RangeError(`Noise of standard deviation ${deviation}: it must be finite and not negative.`)
  const perBlock = PAIRS * 4 // words: two uniforms of two words for each pair
  const blocks = Math.ceil(target.length / 2)
  const words = new Uint32Array(Math.min(blocks, QUOTA / 4 / perBlock) * perBlock)
  const room = words.length / perBlock
  for (let block = 0; block < blocks; block++) {
    const inChunk = block % room
    if (inChunk === 0) source(bytesOf(words, Math.min(room, blocks - block) * perBlock))
    let cosines = 0
    let sines = 0
    for (let pair = 0; pair < PAIRS; pair++) {
      const at = inChunk * perBlock + pair * 4
      const radius = Math.sqrt(-2 * Math.log((bits53(words, at) + 1) / TWO_53))
      const angle = (2 * Math.PI * bits53(words, at + 2)) / TWO_53
      cosines += radius * Math.cos(angle)
      sines += radius * Math.sin(angle)
    }
    target[2 * block] += (deviation * cosines) / Math.sqrt(PAIRS)
    if (2 * block + 1 < target.length) target[2 * block + 1] += (deviation * sines) / Math.sqrt(PAIRS)
  }
}

/**
 * The indices below `n` that a Poisson batch holds, ascending: each with probability exactly `q`, independently. The
 * first 53 bits of a uniform real decide, further ones where those bits equal `q`'s own.
 */
export function poissonSample(n: number, q: number, source: RandomSource = csprng): Uint32Array {
  if (!(Number.isSafeInteger(n) && n >= 0)) throw new RangeError(`${n} examples: the number must be whole.`)
  if (!(q >= 0 && q <= 1)) throw new RangeError(`Sampling probability ${q}: it must be from 0 to 1.`)
  const words = new Uint32Array(Math.min(2 * n, QUOTA / 4))
  const room = words.length / 2
  const chosen: number[] = []
  for (let i = 0; i < n; i++) {
    const inChunk = i % room
    if (inChunk === 0) source(bytesOf(words, 2 * Math.min(room, n - i)))
    if (isBelow(q, bits53(words, 2 * inChunk), source)) chosen.push(i)
  }
  return Uint32Array.from(chosen)
}

/** Whether a uniform real that starts with these 53 bits is below `q`. Scaling by 2^53 is exact in doubles. */
function isBelow(q: number, bits: number, source: RandomSource): boolean {
  const scaled = q * TWO_53
  const whole = Math.floor(scaled)
  if (bits !== whole) return bits < whole
  if (scaled === whole) return false
  const more = new Uint32Array(2)
  source(bytesOf(more, 2))
  return isBelow(scaled - whole, bits53(more, 0), source)
}

const bytesOf = (words: Uint32Array<ArrayBuffer>, count: number) => new Uint8Array(words.buffer, 0, 4 * count)
