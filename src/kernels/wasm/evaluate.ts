import {
  checkEvaluate,
  type MakeMemory,
  type Operand,
  type OperandType,
  type OutputType,
  type Program,
  type ProgramKernels,
  type Result,
  resultOf,
} from '../program.ts'
import { type Compiled, compile, PIECE } from './layout.ts'
import type { Ring } from './module.ts'
import { Workspace } from './workspace.ts'

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
  const [begin, end] = [Math.floor(first / run), Math.ceil((first + n) / run)]
  if (operand instanceof BigUint64Array) to.lanes.set(operand.subarray(begin, end), at / 8)
  else if (operand instanceof Uint32Array) to.words.set(operand.subarray(begin, end), at / 4)
  else to.halves.set(operand.subarray(begin, end), at / 2)
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
  } else if (result instanceof BigUint64Array) result.set(from.lanes.subarray(at / 8, at / 8 + n), first)
  else if (result instanceof Uint32Array) result.set(from.words.subarray(at / 4, at / 4 + n), first)
  else result.set(from.halves.subarray(at / 2, at / 2 + n), first)
}

/** Programs over one instance, whose layouts and workspace outlive a call. */
export function wasmPrograms(ring: Ring): ProgramKernels {
  const { x } = ring
  const known = new WeakMap<Program, Compiled>()
  const workspace = new Workspace(ring.arena)
  const evaluate = (
    p: Program,
    operands: readonly Operand[],
    count: number,
    memory?: MakeMemory,
  ): readonly Result[] => {
    checkEvaluate(p, operands, count)
    const compiled = known.get(p) ?? compile(p)
    known.set(p, compiled)
    const results = p.outputs.map(({ type }) => resultOf(type, count, memory))
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
