export { chacha20, chacha20Scattered } from './chacha20'
export { pack, packAligned, unpack, unpackAligned } from './bits'
export { packDifference } from './difference'
export { polynomials } from './polynomials'
export { packRotated, rotated } from './rotated'
export { transformed } from './transformed'
export { narrow16, narrow32, scatter8, scatter16, scatter32, scatter64 } from './panels'
export { finish, splitPairs, splitWords } from './limbs'
export { mul8x16, mul8x32, mul8x64, mul16x16, mul16x32 } from './matmul_pairs'
export { mul16x64, mul32x32, mul32x64 } from './matmul_words'
export { mul64 } from './matmul_u64'
export { addSigns, gatherSigns, mulSigns, scaleSigns, scatterSigns, signSums } from './signs'
export { gatherPlane, gatherPlanes64, splitBytes } from './planes'
export {
  addParts32,
  addParts64,
  balanceBytes,
  gatherDigit,
  signedBits,
  splitDigits,
  spreadSevens,
} from './digits'
export { contractMix, contractScores } from './contraction'
export { gatherHeads, narrowMix, narrowScores, scatterHeads } from './contraction_narrow'
export { evaluate, widenLanes } from './evaluate'

/** First byte the caller may hand out. */
export const heapBase: usize = __heap_base
