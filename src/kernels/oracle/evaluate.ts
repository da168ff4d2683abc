import { demand } from '../error.ts'
import { type LaneArray, narrowed, widened } from '../lanes.ts'
import {
  checkEvaluate,
  type Operand,
  type OperandType,
  type Program,
  type ProgramKernels,
  type Result,
  resultOf,
} from '../program.ts'
import { oraclePacking } from './packing.ts'

function evaluate(p: Program, operands: readonly Operand[], count: number): readonly Result[] {
  checkEvaluate(p, operands, count)
  const read = (type: OperandType, operand: Operand): ((i: number) => bigint) => {
    if (type.kind === 'packed') {
      const lanes = oraclePacking.unpack(operand as Uint8Array, type.bits, count)
      return (i) => lanes[i]
    }
    const lanes = widened(operand as LaneArray)
    if (type.kind === 'lanes') {
      for (const v of lanes) demand(v >> BigInt(type.bits) === 0n, `a lane of ${type.bits} bits holds ${v}`)
      return (i) => lanes[i]
    }
    if (type.kind === 'runs') return (i) => lanes[Math.floor(i / type.run)]
    return (i) => lanes[Math.floor(i / type.width) * type.stride + type.from + (i % type.width)]
  }
  const sources = p.operands.map((type, k) => read(type, operands[k]))
  const values = p.nodes.map(() => new BigUint64Array(count))
  for (const [k, node] of p.nodes.entries())
    for (let i = 0; i < count; i++) {
      const a = 'a' in node ? values[node.a][i] : 0n
      const b = 'b' in node ? values[node.b][i] : 'constant' in node ? node.constant : 0n
      if (node.op === 'operand') values[k][i] = sources[node.operand](i)
      else if (node.op === 'add' || node.op === 'plus') values[k][i] = a + b
      else if (node.op === 'sub') values[k][i] = a - b
      else if (node.op === 'from') values[k][i] = b - a
      else if (node.op === 'mul' || node.op === 'times') values[k][i] = a * b
      else if (node.op === 'and') values[k][i] = a & b
      else values[k][i] = node.op === 'shl' ? a << b : a >> b
    }
  return p.outputs.map(({ node, type }) => {
    if (type.kind === 'packed') return oraclePacking.pack(values[node], type.bits)
    if (type.kind === 'lanes') return narrowed(values[node], type.width)
    const out = resultOf(type, count) as BigUint64Array
    for (let i = 0; i < count; i++) out[Math.floor(i / type.run)] += values[node][i]
    return out
  })
}

/** A program's type says what its outputs are: the results are made by them. */
export const oraclePrograms: ProgramKernels = { evaluate: evaluate as ProgramKernels['evaluate'] }
