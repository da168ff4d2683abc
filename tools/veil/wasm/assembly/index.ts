export { gather32, gather64 } from './gather'
export { hadamard32, hadamard64 } from './hadamard'
export { pairs32, pairs64 } from './pairs'
export { floatsOfWords, tileOfWords, wordsOfFloats, wordsOfTile } from './halves'
export { floatsOfNumbers, numbersOfFloats, numbersOfTile, tileOfNumbers } from './wide'
export { planeOfTile, tileOfPlane } from './planes'
export { exact16, exact32 } from './exact'

/** First byte the caller may hand out. */
export const heapBase: usize = __heap_base
