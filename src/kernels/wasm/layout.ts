import type { Node, Program } from '../program.ts'

/** As assembly/evaluate.ts has them. */
const TILE = 256
const SIZE = 40
const OPS = { add: 0, sub: 1, mul: 2, plus: 3, from: 4, and: 5, shl: 6, shr: 7, times: 12 } as const
const [UNPACK, PACK, SPREAD, GATHER] = [8, 9, 10, 11]
/** Elements that pass through the workspace at a time: whole tiles, few enough for the second-level cache. */
export const PIECE = 8 * TILE

/** A place in the workspace: its first byte, and how many it moves on with every tile. */
interface Place {
  readonly at: number
  readonly step: number
}

/** A program laid out: instructions, with which the workspace begins, and where a piece's operands and outputs lie. */
export interface Compiled {
  readonly code: Uint32Array
  readonly operands: readonly number[]
  /** Bytes of a whole piece of each operand. */
  readonly sizes: readonly number[]
  readonly outputs: readonly number[]
  readonly bytes: number
}

/** Assigns places and registers. Values that are read no more give their register to the next. */
export function compile(p: Program): Compiled {
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
