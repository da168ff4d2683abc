/** `sotto bench kernels`: what narrow rings and small weights gain over 64-bit lanes, each pair in turn, in processor time. */
import { type Contraction, type ContractionTerm, contractionSizes } from '../src/kernels/contraction.ts'
import { type LaneWidth, lanesOf, narrowed } from '../src/kernels/lanes.ts'
import { createNodeKernels } from '../src/kernels/node/kernels.ts'
import { program } from '../src/kernels/program.ts'
import { Prg } from '../src/protections/shared/prg.ts'
import type { Result } from './result.ts'

const kernels = createNodeKernels()
const TURNS = 5

/** Processor seconds of a call, this process's threads together. */
async function processorSeconds(call: () => unknown): Promise<number> {
  const from = process.cpuUsage()
  await call()
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6
}

/** The best of several turns of both, so that whatever else the machine does weighs on them alike. */
async function inTurn(
  name: string,
  unit: string,
  amount: number,
  fast: () => unknown,
  other: () => unknown,
): Promise<Result> {
  let [own, others] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let i = 0; i < TURNS; i++) {
    own = Math.min(own, await processorSeconds(fast))
    others = Math.min(others, await processorSeconds(other))
  }
  return {
    case: name,
    [`${unit} a second`]: amount / own,
    [`${unit} a second, before`]: amount / others,
    timesBefore: others / own,
  }
}

const words = (n: number, bits: number): BigUint64Array => {
  const out = new BigUint64Array(n)
  new Prg(kernels, new Uint8Array(32).fill(3)).fill(bits, n, bits, out, 0, n, 8)
  return out
}

/** Attention of 128 tokens as BERT-base has it: 12 heads of 64. */
function contraction(kind: 'scores' | 'mix', bits: number): Promise<Result> {
  const o: Contraction = { rows: 128, seen: 128, step: 0, heads: 12, kvHeads: 12, headDim: 64 }
  const { left, right } = contractionSizes(kind, o)
  const terms: ContractionTerm[] = [[words(left, bits), words(right, bits)]]
  const run = (width: LaneWidth) => () => kernels.contract(kind, terms, o, width)
  const macs = o.rows * o.seen * o.heads * o.headDim
  return inTurn(`${kind} mod 2^${bits}`, 'products', macs, run(lanesOf(bits)), run(64))
}

/** (x + y) z mod 2^bits, from arrays of the narrowest lanes and to one, and in arrays of 64-bit lanes. */
function elementwise(bits: number): Promise<Result> {
  const n = 1 << 18
  const wide = [words(n, bits), words(n, bits), words(n, bits)]
  const run = (width: LaneWidth) => {
    const operands = wide.map((lanes) => narrowed(lanes, width))
    const made = program((p) => {
      const [x, y, z] = operands.map(() => p.lanes(width, bits))
      return [p.out(p.reduce(p.mul(p.add(x, y), z), bits), width)]
    })
    return () => kernels.evaluate(made, operands, n)
  }
  return inTurn(`elements mod 2^${bits}`, 'elements', n, run(lanesOf(bits)), run(64))
}

/** A feed-forward matrix of BERT-base by signs, and by the same elements as a ring's. */
function signs(rows: number, bits: number): Promise<Result> {
  const [k, n] = [768, 3072]
  const data = Int8Array.from(words(k * n, 1), (v) => (v === 1n ? 1 : -1))
  const wide = BigUint64Array.from(words(k * n, bits))
  const a = words(rows * k, bits)
  const [own, others] = [kernels.load(data, k, n), kernels.load(wide, k, n)]
  const multiply = (b: typeof own) => () => (kernels.matmulAsync ?? kernels.matmul)(a, rows, b, bits)
  const name = `${rows} ${rows === 1 ? 'row' : 'rows'} by ${k} x ${n} signs mod 2^${bits}`
  return inTurn(name, 'products', rows * k * n, multiply(own), multiply(others))
}

/** One entry of each of many dealt tables, by the keystream: of as many small tables, and of larger ones. */
function entries(bytes: number): Promise<Result> {
  const n = 1 << 15
  const prg = new Prg(kernels, new Uint8Array(32).fill(4))
  const read = (table: number) => {
    const each = table / 4
    const firsts = Float64Array.from({ length: n }, (_, i) => i * each + ((i * 5) % each))
    return () => prg.windows(1, [{ serial: 1, count: n }], firsts, 1, 32)
  }
  return inTurn(`entries of tables of ${bytes} bytes`, 'entries', n, read(bytes), read(256))
}

/** Corrections of rotated tables of 8 entries. */
function rotated(bits: number): Promise<Result> {
  const [shift, per, n] = [8, 8, 1 << 14]
  const spec = { shift, entries: per, words: 1 }
  // A value of 64 bits keeps the rows wide.
  const rows = words(per << shift, Math.min(bits, 31))
  const wide = rows.slice()
  wide[0] += 1n << 63n
  const masks = Uint32Array.from(words(n, shift + 3), Number)
  const keystream = new Uint8Array(n * per * 4).fill(7)
  const out = new Uint8Array((n * per * bits) / 8)
  const pack = (values: BigUint64Array) => {
    const kept = kernels.keepRotating(values, spec)
    return () => kernels.packRotated(kept, masks, keystream, bits, out)
  }
  return inTurn(`rotated tables of 8 entries of ${bits} bits`, 'entries', n * per, pack(rows), pack(wide))
}

/** Every case; "before" is the same work in lanes of 64 bits, or by scattered blocks. */
export const kernelCases: readonly (() => Promise<Result>)[] = [
  ...[16, 20].flatMap((bits) => [() => contraction('scores', bits), () => contraction('mix', bits)]),
  ...[16, 32].map((bits) => () => elementwise(bits)),
  ...[16, 20].flatMap((bits) => [() => signs(1, bits), () => signs(128, bits)]),
  ...[32, 64].map((bytes) => () => entries(bytes)),
  () => rotated(31),
]
