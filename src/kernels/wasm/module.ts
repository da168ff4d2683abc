import { base64 } from '@scure/base'
import { Arena } from './arena.ts'
import { RING_WASM } from './ring.generated.ts'

type Multiply = (a: number, m: number, b: number, k: number, panels: number, out: number) => void
type Scatter = (src: number, dst: number, row0: number, rows: number, k: number, n: number) => void

type AddParts = (
  sum: number,
  parts: number,
  count: number,
  digits: number,
  shift: number,
  step: number,
) => void

type Contract = (
  left: number,
  right: number,
  out: number,
  rows: number,
  seen: number,
  step: number,
  heads: number,
  kvHeads: number,
  dim: number,
) => void

type ContractHead = (
  lanes: number,
  left: number,
  right: number,
  out: number,
  rows: number,
  seen: number,
  step: number,
  bytes: number,
) => void

/** What ring.wasm exports; pointers are byte addresses. See assembly/ for shapes. */
export interface RingExports {
  memory: WebAssembly.Memory
  heapBase: WebAssembly.Global<'i32'>
  chacha20(state: number, counter: number, out: number, groups: number): void
  chacha20Scattered(state: number, places: number, out: number, groups: number): void
  pack(values: number, count: number, bits: number, out: number): void
  packAligned(values: number, count: number, log: number, out: number): void
  unpack(bytes: number, bits: number, count: number, out: number): void
  unpackAligned(bytes: number, log: number, count: number, out: number): void
  widenLanes(at: number, bits: number, count: number, out: number): void
  packDifference(values: number, words: number, width: number, count: number, bits: number, out: number): void
  polynomials(
    points: number,
    count: number,
    shift: number,
    scale: number,
    words: number,
    stride: number,
    n: number,
    groups: number,
    basis: number,
    out: number,
  ): void
  rotated(
    rows: number,
    narrow: number,
    stride: number,
    per: number,
    words: number,
    shift: number,
    masks: number,
    count: number,
    out: number,
  ): void
  packRotated(
    rows: number,
    per: number,
    words: number,
    shift: number,
    masks: number,
    count: number,
    keystream: number,
    width: number,
    bits: number,
    out: number,
  ): void
  transformed(samples: number, count: number, n: number, columns: number, scale: number, out: number): void
  contractScores: Contract
  contractMix: Contract
  gatherHeads(
    at: number,
    from: number,
    lanes: number,
    rows: number,
    heads: number,
    dim: number,
    padded: number,
    to: number,
  ): void
  scatterHeads(
    at: number,
    lanes: number,
    rows: number,
    heads: number,
    dim: number,
    padded: number,
    to: number,
  ): void
  narrowScores: ContractHead
  narrowMix: ContractHead
  evaluate(code: number, end: number, base: number, count: number, phase: number, lanes: number): void
  splitPairs(a: number, k: number, narrow: number, limbs: number, out: number): void
  finish(
    out: number,
    m: number,
    n: number,
    stride: number,
    bits: number,
    bias: bigint,
    a: number,
    k: number,
  ): void
  splitBytes(a: number, count: number, planes: number, out: number): void
  balanceBytes(a: number, count: number, out: number): void
  spreadSevens(a: number, count: number, low: number, high: number): void
  splitDigits(a: number, count: number, width: number, digits: number, out: number): void
  addParts32: AddParts
  addParts64: AddParts
  spread(words: number, count: number): bigint
  flip(words: number, count: number, bits: bigint): void
  gatherWords(
    panels: number,
    width: number,
    row0: number,
    rows: number,
    k: number,
    n: number,
    out: number,
  ): void
  narrow16: Scatter
  narrow32: Scatter
  narrow48: Scatter
  scatter8: Scatter
  scatter16: Scatter
  scatter32: Scatter
  scatter64: Scatter
  mul8x16: Multiply
  mul8x32: Multiply
  mul8x64: Multiply
  mul16x16: Multiply
  mul16x32: Multiply
  mul16x44: Multiply
  mul16x64: Multiply
  mul32x32: Multiply
  mul32x44: Multiply
  mul32x64: Multiply
  mul48x44: Multiply
  mul48x64: Multiply
  mul64: Multiply
  scatterSigns(at: number, row0: number, rows: number, k: number, n: number, out: number): void
  gatherSigns(
    signs: number,
    scales: number,
    row0: number,
    rows: number,
    k: number,
    n: number,
    out: number,
  ): void
  signSums(a: number, k: number, shift: number, mask: number, planes: number, out: number): void
  mulSigns(sums: number, planes: number, signs: number, bytes: number, panels: number, out: number): void
  addSigns(sums: number, n: number, shift: number, out: number): void
  scaleSigns(out: number, n: number, scales: number, bits: number): void
}

/** One instance of the module with its memory. */
export interface Ring {
  readonly x: RingExports
  readonly arena: Arena
}

const packed = (): Uint8Array<ArrayBuffer> => base64.decode(RING_WASM) as Uint8Array<ArrayBuffer>

function wrap(instance: WebAssembly.Instance): Ring {
  const x = instance.exports as unknown as RingExports
  return { x, arena: new Arena(x.memory, Number(x.heapBase.value)) }
}

/** Compiles on the calling thread. In Node; a browser unpacks as `ringAsync` does. */
export function ringSync(): Ring {
  const bytes = process.getBuiltinModule('node:zlib').inflateRawSync(packed())
  return wrap(new WebAssembly.Instance(new WebAssembly.Module(bytes)))
}

/** For a browser's window or worker. */
export async function ringAsync(): Promise<Ring> {
  const stream = new Blob([packed()]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return wrap((await WebAssembly.instantiate(await new Response(stream).arrayBuffer())).instance)
}
