import {
  checkEvaluate,
  type Operand,
  type OperandType,
  type OutputType,
  type Program,
  type ProgramKernels,
  type Result,
  resultOf,
} from '../program.ts'
import type { Arena } from './arena.ts'
import { type Compiled, compile, PIECE } from './layout.ts'
import type { Ring } from './module.ts'

/** A place for programs and their pieces that every call uses anew, seen as bytes, words and lanes. */
class Workspace {
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

/** Copies an operand's part for elements first..first+n-1 to the workspace. */
function put(to: Workspace, type: OperandType, operand: Operand, first: number, n: number, at: number): void {
  if (operand instanceof Uint8Array) {
    const bits = type.kind === 'packed' ? type.bits : 8
    to.bytes.set(operand.subarray((first * bits) / 8, Math.ceil(((first + n) * bits) / 8)), at)
    return
  }
  if (type.kind === 'columns' && operand instanceof BigUint64Array) {
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
  const part = operand.subarray(Math.floor(first / run), Math.ceil((first + n) / run))
  to.bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
}

/** Copies what a piece has yielded; the sums of a run that pieces share add up. */
function take(from: Workspace, type: OutputType, result: Result, first: number, n: number, at: number): void {
  if (result instanceof Uint8Array) {
    const bits = type.kind === 'packed' ? type.bits : 8
    result.set(from.bytes.subarray(at, at + Math.ceil((n * bits) / 8)), (first * bits) / 8)
  } else if (type.kind === 'sums' && result instanceof BigUint64Array) {
    const group = Math.floor(first / type.run)
    for (let g = group; g * type.run < first + n; g++) {
      const sum = from.lanes[at / 8 + g - group]
      result[g] = BigInt.asUintN(64, result[g] + sum)
    }
    from.lanes.fill(0n, at / 8, at / 8 + Math.ceil(n / type.run) + 1)
  } else {
    const bytes = result.BYTES_PER_ELEMENT
    const made = new Uint8Array(result.buffer, result.byteOffset + first * bytes, n * bytes)
    made.set(from.bytes.subarray(at, at + n * bytes))
  }
}

/** Programs over one instance, whose layouts and workspace outlive a call. */
export function wasmPrograms(ring: Ring): ProgramKernels {
  const { x } = ring
  const known = new WeakMap<Program, Compiled>()
  const workspace = new Workspace(ring.arena)
  const evaluate = (p: Program, operands: readonly Operand[], count: number): readonly Result[] => {
    checkEvaluate(p, operands, count)
    const compiled = known.get(p) ?? compile(p)
    known.set(p, compiled)
    const results = p.outputs.map(({ type }) => resultOf(type, count))
    workspace.reserve(compiled.bytes)
    const { code } = compiled
    const { block } = workspace
    workspace.words.set(code)
    for (const [k, { type }] of p.outputs.entries())
      if (type.kind === 'sums')
        workspace.bytes.fill(0, compiled.outputs[k], compiled.outputs[k] + PIECE * 8 + 8)
    for (let first = 0; first < count; first += PIECE) {
      const n = Math.min(PIECE, count - first)
      for (let k = 0; k < operands.length; k++)
        put(workspace, p.operands[k], operands[k], first, n, compiled.operands[k])
      x.evaluate(block, block + code.byteLength, block, n, first, compiled.lanes)
      for (let k = 0; k < results.length; k++)
        take(workspace, p.outputs[k].type, results[k], first, n, compiled.outputs[k])
    }
    // what keystreams there were does not linger in memory that the next caller gets, but for a tile of them
    for (let k = 0; k < operands.length; k++) {
      const at = compiled.operands[k]
      if (operands[k] instanceof Uint8Array)
        workspace.bytes.fill(0, at, at + Math.min(operands[k].length, compiled.sizes[k]))
    }
    return results
  }
  // A program's type says what its outputs are: the results are made by them.
  return { evaluate: evaluate as ProgramKernels['evaluate'] }
}
