import type { LaneWidth } from '../lanes.ts'
import { lanesOf } from '../lanes.ts'
import type { Node, Program } from '../program.ts'

/** Bits of a number, 0 of none. */
const bitsOf = (x: bigint): number => (x === 0n ? 0 : x.toString(2).length)

/** Bits that each value has at most, before it is taken mod 2^64. */
function bounds({ nodes, operands }: Program): number[] {
  const bits: number[] = []
  const of = (node: Node): number => {
    if (node.op === 'operand') {
      const type = operands[node.operand]
      return type.kind === 'lanes' || type.kind === 'packed' ? type.bits : 64
    }
    const a = bits[node.a]
    const b = 'b' in node ? bits[node.b] : bitsOf(node.constant)
    if (node.op === 'and') return Math.min(a, b)
    if (node.op === 'add' || node.op === 'plus') return Math.max(a, b) + 1
    if (node.op === 'mul' || node.op === 'times') return a + b
    if (node.op === 'shl') return a + Number((node as { constant: bigint }).constant)
    if (node.op === 'shr') return Math.max(0, a - Number((node as { constant: bigint }).constant))
    return 64
  }
  for (const node of nodes) bits.push(Math.min(64, of(node)))
  return bits
}

/**
 * The narrowest lanes in which a program's outputs come out right. A value mod 2^w takes its operands mod 2^w alone, but for
 * what is shifted down into it; a value of at most w bits is whole in lanes of w.
 */
export function lanesFor(p: Program): LaneWidth {
  const bits = bounds(p)
  /** Low bits of each value that are read. */
  const needed = new Array<number>(p.nodes.length).fill(0)
  const need = (node: number, low: number): void => {
    needed[node] = Math.max(needed[node], Math.min(low, bits[node]))
  }
  for (const { node, type } of p.outputs)
    need(node, type.kind === 'lanes' ? type.width : type.kind === 'packed' ? type.bits : 64)
  for (let i = p.nodes.length - 1; i >= 0; i--) {
    const node = p.nodes[i]
    if (node.op === 'operand') continue
    const low = needed[i]
    if (node.op === 'and') need(node.a, Math.min(low, bitsOf(node.constant)))
    else if (node.op === 'shl') need(node.a, Math.max(0, low - Number(node.constant)))
    else if (node.op === 'shr') need(node.a, low === 0 ? 0 : low + Number(node.constant))
    else {
      need(node.a, low)
      if ('b' in node) need(node.b, low)
    }
  }
  return lanesOf(Math.max(...needed))
}
