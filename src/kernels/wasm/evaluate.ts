import {
  checkEvaluate,
  type Node,
  type Operand,
  type OperandType,
  type OutputType,
  type Program,
  type Result,
  resultOf,
} from '../program.ts'
import type { Arena } from './arena.ts'
import type { Ring } from './module.ts'

/** As in assembly/evaluate.ts. */
const TILE = 256
const SIZE = 40
const OPS = { add: 0, sub: 1, mul: 2, plus: 3, from: 4, and: 5, shl: 6, shr: 7, times: 12 } as const
const [UNPACK, PACK, SPREAD, GATHER] = [8, 9, 10, 11]
/** Elements that pass through the scratch at a time: whole tiles, few enough for the second-level cache. */
const PIECE = 8 * TILE

/** A place in the scratch: its first byte, and how many it moves on with every tile. */
interface Place {
  readonly at: number
  readonly step: number
}

/** A program laid out: instructions, with which the scratch begins, and where a piece's operands and outputs lie. */
interface Compiled {
  readonly code: Uint32Array
  readonly operands: readonly number[]
  /** Bytes of a whole piece of each operand. */
  readonly sizes: readonly number[]
  readonly outputs: readonly number[]
  readonly bytes: number
}

/** Assigns places and registers. Values that are read no more give their register to the next. */
function compile(p: Program): Compiled {
  const words: number[] = []
  let bytes = (p.nodes.length + p.outputs.length) * SIZE
  /** Room for a piece, and for what loops read or write past its end. */
  const room = (n: number): number => {
    const at = Math.ceil(bytes / 64) * 64
    bytes = at + n + 16
    return at
  }
  const emit = (op: number, to: Place, a: Place, b: Place = a, constant = 0n): void => {
    words.push(op, to.at, to.step, a.at, a.step, b.at, b.step, 0)
    words.push(Number(constant & 0xffffffffn), Number(constant >> 32n))
  }
  const sizes = p.operands.map((type) => (type.kind === 'packed' ? (PIECE / 8) * type.bits : PIECE * 8))
  const operands = sizes.map((n) => room(n + 8))
  const outputs = p.outputs.map(({ type }) =>
    room(type.kind === 'packed' ? (PIECE / 8) * type.bits : PIECE * 8 + 8),
  )
  const last = p.nodes.map((_, i) => i)
  for (const [i, node] of p.nodes.entries()) {
    if ('a' in node) last[node.a] = i
    if ('b' in node) last[node.b] = i
  }
  for (const { node } of p.outputs) last[node] = p.nodes.length
  const spare: Place[] = []
  const register = (): Place => spare.pop() ?? { at: room(TILE * 8), step: 0 }
  const places: Place[] = []
  const isRegister = (i: number): boolean => places[i].step === 0
  const release = (i: number, by: number): void => {
    if (last[i] === by && isRegister(i)) spare.push(places[i])
  }
  /** Where a value goes: to a register, or where its lanes are to come out. */
  const placeOf = (i: number): Place => {
    const out = p.outputs.findIndex((o) => o.node === i && o.type.kind === 'lanes')
    return out < 0 ? register() : { at: outputs[out], step: TILE * 8 }
  }
  const operand = (i: number, node: Node & { op: 'operand' }): Place => {
    const type = p.operands[node.operand]
    const at = operands[node.operand]
    if (type.kind === 'lanes' || type.kind === 'columns' || (type.kind === 'packed' && type.bits === 64))
      return { at, step: TILE * 8 }
    const to = placeOf(i)
    if (type.kind === 'runs') emit(SPREAD, to, { at, step: 0 }, undefined, BigInt(type.run))
    else emit(UNPACK, to, { at, step: (TILE / 8) * type.bits }, undefined, BigInt(type.bits))
    return to
  }
  for (const [i, node] of p.nodes.entries()) {
    if (node.op === 'operand') {
      places.push(operand(i, node))
      continue
    }
    const [a, b] = [node.a, 'b' in node ? node.b : node.a]
    release(a, i)
    if (b !== a) release(b, i)
    const to = placeOf(i)
    places.push(to)
    emit(OPS[node.op], to, places[a], places[b], 'constant' in node ? node.constant : 0n)
  }
  for (const [k, { node, type }] of p.outputs.entries()) {
    const from = places[node]
    const at = outputs[k]
    if (type.kind === 'packed')
      emit(PACK, { at, step: (TILE / 8) * type.bits }, from, undefined, BigInt(type.bits))
    else if (type.kind === 'sums') emit(GATHER, { at, step: 0 }, from, undefined, BigInt(type.run))
    else if (from.at !== at) emit(OPS.plus, { at, step: TILE * 8 }, from)
  }
  return { code: Uint32Array.from(words), operands, sizes, outputs, bytes }
}

/** A place for programs and their pieces that every call uses anew, seen as bytes, words and lanes. */
class Scratch {
  bytes = new Uint8Array()
  words = new Uint32Array()
  lanes = new BigUint64Array()
  /** Where it lies in the module's memory. */
  block = 0
  readonly #arena: Arena
  #size = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** Makes room for so many bytes. */
  reserve(size: number): void {
    if (size > this.#size) {
      if (this.#size > 0) this.#arena.free(this.block)
      this.block = this.#arena.alloc(size)
      this.#size = size
    } else if (this.bytes.buffer === this.#arena.memory.buffer) return
    // Views of a memory that has grown since are gone.
    const { buffer } = this.#arena.memory
    this.bytes = new Uint8Array(buffer, this.block, this.#size)
    this.words = new Uint32Array(buffer, this.block, Math.floor(this.#size / 4))
    this.lanes = new BigUint64Array(buffer, this.block, Math.floor(this.#size / 8))
  }
}

/** Copies an operand's part for elements first..first+n-1 to the scratch. */
function put(to: Scratch, type: OperandType, operand: Operand, first: number, n: number, at: number): void {
  if (operand instanceof Uint8Array) {
    const bits = type.kind === 'packed' ? type.bits : 8
    to.bytes.set(operand.subarray((first * bits) / 8, Math.ceil(((first + n) * bits) / 8)), at)
    return
  }
  if (type.kind === 'columns') {
    const { width, stride, from } = type
    for (let i = first, end = first; i < first + n; i = end) {
      const column = i % width
      end = Math.min(first + n, i - column + width)
      const source = Math.floor(i / width) * stride + from + column
      to.lanes.set(operand.subarray(source, source + end - i), at / 8 + i - first)
    }
    return
  }
  const run = type.kind === 'runs' ? type.run : 1
  to.lanes.set(operand.subarray(Math.floor(first / run), Math.ceil((first + n) / run)), at / 8)
}

/** Copies what a piece has yielded; the sums of a run that pieces share add up. */
function take(from: Scratch, type: OutputType, result: Result, first: number, n: number, at: number): void {
  if (result instanceof Uint8Array) {
    const bits = type.kind === 'packed' ? type.bits : 8
    result.set(from.bytes.subarray(at, at + Math.ceil((n * bits) / 8)), (first * bits) / 8)
  } else if (type.kind === 'sums') {
    const group = Math.floor(first / type.run)
    for (let g = group; g * type.run < first + n; g++) {
      const sum = from.lanes[at / 8 + g - group]
      result[g] = BigInt.asUintN(64, result[g] + sum)
    }
    from.lanes.fill(0n, at / 8, at / 8 + Math.ceil(n / type.run) + 1)
  } else result.set(from.lanes.subarray(at / 8, at / 8 + n), first)
}

/** See `Kernels.evaluate`. */
export function wasmEvaluator(
  ring: Ring,
): (p: Program, operands: readonly Operand[], count: number) => Result[] {
  const { x } = ring
  const known = new WeakMap<Program, Compiled>()
  const scratch = new Scratch(ring.arena)
  return (p, operands, count) => {
    checkEvaluate(p, operands, count)
    const compiled = known.get(p) ?? compile(p)
    known.set(p, compiled)
    const results = p.outputs.map(({ type }) => resultOf(type, count))
    scratch.reserve(compiled.bytes)
    const { code } = compiled
    const { block } = scratch
    scratch.words.set(code)
    for (const [k, { type }] of p.outputs.entries())
      if (type.kind === 'sums')
        scratch.bytes.fill(0, compiled.outputs[k], compiled.outputs[k] + PIECE * 8 + 8)
    for (let first = 0; first < count; first += PIECE) {
      const n = Math.min(PIECE, count - first)
      for (let k = 0; k < operands.length; k++)
        put(scratch, p.operands[k], operands[k], first, n, compiled.operands[k])
      x.evaluate(block, block + code.byteLength, block, n, first)
      for (let k = 0; k < results.length; k++)
        take(scratch, p.outputs[k].type, results[k], first, n, compiled.outputs[k])
    }
    // keystreams do not stay behind
    for (let k = 0; k < operands.length; k++) {
      const at = compiled.operands[k]
      if (operands[k] instanceof Uint8Array)
        scratch.bytes.fill(0, at, at + Math.min(operands[k].length, compiled.sizes[k]))
    }
    return results
  }
}
