/** The module that maps tiles: many vectors at once, side by side in its memory. Shapes are in assembly/. */
import { base64 } from '@scure/base'
import { Arena } from '../../../src/kernels/wasm/arena.ts'
import { TILES_WASM } from './tiles.generated.ts'

type Gather = (x: number, from: number, scale: number, n: number, out: number) => void
type Hadamard = (x: number, n: number, block: number) => void
type Pairs = (x: number, n: number, head: number, re: number, im: number) => void
type TileOf = (
  words: number,
  stride: number,
  width: number,
  factors: number,
  isFirst: boolean,
  out: number,
) => void
type OfTile = (x: number, width: number, isFirst: boolean, words: number, stride: number) => number
type FloatsOf = (words: number, from: number, scale: number, n: number, isFirst: boolean, out: number) => void
type OfFloats = (x: number, n: number, isFirst: boolean, words: number) => number
type Exact = (
  words: number,
  from: number,
  sign: number,
  power: number,
  rowSign: number,
  rowPower: number,
  n: number,
  bits: number,
  exponents: number,
  slow: number,
  out: number,
) => number

/** Pointers are byte addresses. */
export interface TileExports {
  memory: WebAssembly.Memory
  heapBase: WebAssembly.Global<'i32'>
  gather32: Gather
  gather64: Gather
  hadamard32: Hadamard
  hadamard64: Hadamard
  pairs32: Pairs
  pairs64: Pairs
  tileOfWords: TileOf
  tileOfNumbers: TileOf
  wordsOfTile: OfTile
  numbersOfTile: OfTile
  floatsOfWords: FloatsOf
  floatsOfNumbers: FloatsOf
  wordsOfFloats: OfFloats
  numbersOfFloats: OfFloats
  tileOfPlane(plane: number, stride: number, n: number, out: number): void
  planeOfTile(x: number, n: number, plane: number, stride: number): void
  exact16: Exact
  exact32: Exact
}

let instance: { x: TileExports; arena: Arena } | undefined

/** The one instance of this process, whose memory is used again and again. */
export function tileModule(): { x: TileExports; arena: Arena } {
  if (!instance) {
    const module = new WebAssembly.Module(base64.decode(TILES_WASM) as Uint8Array<ArrayBuffer>)
    const x = new WebAssembly.Instance(module).exports as unknown as TileExports
    instance = { x, arena: new Arena(x.memory, Number(x.heapBase.value)) }
  }
  return instance
}
