export { chacha20, chacha20Scattered } from './chacha20'
export { pack, packAligned, unpack, unpackAligned } from './bits'
export { packDifference } from './difference'
export { polynomials } from './polynomials'
export { rotated } from './rotated'
export { transformed } from './transformed'
export { gatherWords, narrow16, narrow32, narrow48, scatter8, scatter16, scatter32, scatter64 } from './panels'
export { finish, splitPairs } from './limbs'
export { mul8x16, mul8x32, mul8x64, mul16x16, mul16x32 } from './matmul_pairs'
export { mul16x44, mul16x64, mul32x32, mul32x44, mul32x64, mul48x44, mul48x64 } from './matmul_limbs'
export { mul64 } from './matmul_u64'
export { flip, splitBytes } from './planes'
export { addParts32, addParts64, balanceBytes, splitDigits, spread, spreadSevens } from './digits'
export { contractMix, contractScores } from './contraction'
export { evaluate } from './evaluate'

/** First byte the caller may hand out. */
export const heapBase: usize = __heap_base
