import type { LaneWidth } from '../lanes.ts'
import type { Node, OperandType, OutputType, Program } from '../program.ts'
import { lanesFor } from './demand.ts'

/** As assembly/evaluate.ts has them. */
const TILE = 256
const SIZE = 40
const OPS = { add: 0, sub: 1, mul: 2, plus: 3, from: 4, and: 5, shl: 6, shr: 7, times: 12 } as const
const [UNPACK, PACK, SPREAD, GATHER, FETCH, PUT] = [8, 9, 10, 11, 13, 14]
/** Elements that pass through the workspace at a time: whole tiles, few enough for the second-level cache. */
export const PIECE = 8 * TILE

/** A place in the workspace: its first byte, and how many it moves on with every tile. */
interface Place {
  readonly at: number
  readonly step: number
}

/** A program laid out: instructions, with which the workspace begins, and where a piece's operands and outputs lie. */
export interface Compiled {
  /** Bits of the lanes that it runs in. */
  readonly lanes: LaneWidth
  readonly code: Uint32Array
  readonly operands: readonly number[]
  /** Bytes of a whole piece of each operand. */
  readonly sizes: readonly number[]
  readonly outputs: readonly number[]
  readonly bytes: number
}

/** Bits of each value of an operand or output where it lies. */
const widthIn = (type: OperandType | OutputType): number =>
  type.kind === 'packed' ? type.bits : type.kind === 'lanes' ? type.width : 64

/** Widths that are fetched and put by whole words. */
const isWord = (bits: number): boolean => bits === 8 || bits === 16 || bits === 32 || bits === 64

/** Assigns places and registers. Values that are read no more give their register to the next. */
export function compile(p: Program): Compiled {
  const lanes = lanesFor(p)
  const words: number[] = []
  let bytes = 0
  /** Room for a piece, and for what loops read or write past its end. */
  const room = (n: number): number => {
    const at = Math.ceil(bytes / 64) * 64
    bytes = at + n + 64
    return at
  }
  // Instructions, at most so many.
  room((p.nodes.length + p.outputs.length) * SIZE)
  const emit = (op: number, to: Place, a: Place, b: Place = a, constant = 0n): void => {
    words.push(op, to.at, to.step, a.at, a.step, b.at, b.step, 0)
    words.push(Number(constant & 0xffffffffn), Number(constant >> 32n))
  }
  const sizes = p.operands.map((type) => (PIECE / 8) * widthIn(type))
  const operands = sizes.map((n) => room(n + 8))
  const outputs = p.outputs.map(({ type }) => room((PIECE / 8) * widthIn(type) + 8))
  const last = p.nodes.map((_, i) => i)
  for (const [i, node] of p.nodes.entries()) {
    if ('a' in node) last[node.a] = i
    if ('b' in node) last[node.b] = i
  }
  for (const { node } of p.outputs) last[node] = p.nodes.length
  const spare: Place[] = []
  const register = (): Place => spare.pop() ?? { at: room((TILE * lanes) / 8), step: 0 }
  const places: Place[] = []
  const isRegister = (i: number): boolean => places[i].step === 0
  const release = (i: number, by: number): void => {
    if (last[i] === by && isRegister(i)) spare.push(places[i])
  }
  /** A place in an array whose values have so many bits. */
  const inPiece = (at: number, bits: number): Place => ({ at, step: (TILE / 8) * bits })
  const isOwnLanes = (type: OperandType | OutputType): boolean =>
    type.kind !== 'sums' && widthIn(type) === lanes
  /** Where a value goes: to a register, or where its lanes are to come out. */
  const placeOf = (i: number): Place => {
    const out = p.outputs.findIndex((o) => o.node === i && isOwnLanes(o.type))
    return out < 0 ? register() : inPiece(outputs[out], lanes)
  }
  const operand = (i: number, node: Node & { op: 'operand' }): Place => {
    const type = p.operands[node.operand]
    const at = operands[node.operand]
    if (type.kind === 'runs') {
      const to = placeOf(i)
      emit(SPREAD, to, { at, step: 0 }, undefined, BigInt(type.run))
      return to
    }
    const bits = widthIn(type)
    const from = inPiece(at, bits)
    if (bits === lanes) return from
    const to = placeOf(i)
    emit(isWord(bits) ? FETCH : UNPACK, to, from, undefined, BigInt(bits))
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
    const constant = 'constant' in node ? node.constant : 0n
    // Machines shift by so many bits modulo a lane's.
    if ((node.op === 'shl' || node.op === 'shr') && constant >= lanes) emit(OPS.and, to, places[a])
    else emit(OPS[node.op], to, places[a], places[b], constant)
  }
  for (const [k, { node, type }] of p.outputs.entries()) {
    const from = places[node]
    const at = outputs[k]
    const bits = widthIn(type)
    if (type.kind === 'sums') emit(GATHER, { at, step: 0 }, from, undefined, BigInt(type.run))
    else if (from.at === at) continue
    else if (bits === lanes) emit(OPS.plus, inPiece(at, bits), from)
    else emit(isWord(bits) ? PUT : PACK, inPiece(at, bits), from, undefined, BigInt(bits))
  }
  return { lanes, code: Uint32Array.from(words), operands, sizes, outputs, bytes }
}
