/**
 * Straight-line programs over arrays of lanes: elementwise arithmetic mod 2^64 that a kernel runs in one pass, from
 * lanes, keystreams and packed bits to lanes and packed bits, without an array for every step between.
 */
import { demand } from './error.ts'
import { type LaneArray, type LaneWidth, laneArray, widthOf } from './lanes.ts'
import { checkBits, packedBytes } from './sizes.ts'

/** A value of a program, one lane for each of its elements. */
export interface Value {
  /** Its place among the program's nodes. */
  readonly node: number
}

/** How an operand holds the element's lanes. */
export type OperandType =
  /** One lane of `width` bits for each element, below 2^bits. */
  | { readonly kind: 'lanes'; readonly width: LaneWidth; readonly bits: number }
  /** Columns `from` and on of rows of `stride`; elements are rows of `width`. A stride of 0 repeats one row. */
  | { readonly kind: 'columns'; readonly width: number; readonly stride: number; readonly from: number }
  /** One u64 for every `run` elements. */
  | { readonly kind: 'runs'; readonly run: number }
  /** Element i at bits [i*bits, (i+1)*bits): what `PackingKernels.pack` makes, or little-endian words as they are. */
  | { readonly kind: 'packed'; readonly bits: number }

/**
 * One value: an operand, or what an operation makes of one or two nodes before it, and perhaps a constant.
 */
export type Node =
  | { readonly op: 'operand'; readonly operand: number }
  | { readonly op: 'add' | 'sub' | 'mul'; readonly a: number; readonly b: number }
  | {
      readonly op: 'plus' | 'from' | 'times' | 'and' | 'shl' | 'shr'
      readonly a: number
      readonly constant: bigint
    }

/** What a program yields: lanes mod 2^width, packed bits, or the sums of every `run` elements. */
export type OutputType =
  | { readonly kind: 'lanes'; readonly width: LaneWidth }
  | { readonly kind: 'packed'; readonly bits: number }
  | { readonly kind: 'sums'; readonly run: number }

interface Output<T> {
  readonly node: number
  readonly type: OutputType
  /** Never there: tells the outputs' types apart. */
  readonly result?: T
}

/** An array that a program reads. */
export type Operand = LaneArray | Uint8Array
/** An array that a program makes. */
export type Result = LaneArray | Uint8Array

/**
 * Data alone, so that every backend can compile it; made by `program`, and meant to be kept. Backends run it in lanes of 32
 * or 16 bits where no more of any value is needed: outputs that are reduced say so, and operands by their `bits`.
 */
export interface Program<R extends readonly Result[] = readonly Result[]> {
  readonly operands: readonly OperandType[]
  readonly nodes: readonly Node[]
  readonly outputs: { readonly [K in keyof R]: Output<R[K]> }
}

/** Memory of so many bytes, all of which will be written. */
export type MakeMemory = (bytes: number) => ArrayBuffer

const fresh: MakeMemory = (bytes) => new ArrayBuffer(bytes)

/** Kernels that run programs. */
export interface ProgramKernels {
  /**
   * Runs a program over `count` elements: one array for each of its outputs.
   * @param memory gives the outputs' memory, so many bytes of whatever was there; new where nothing is said
   * @throws KernelError where an operand is not as long as the program needs it for so many elements.
   */
  evaluate<R extends readonly Result[]>(
    p: Program<R>,
    operands: readonly Operand[],
    count: number,
    memory?: MakeMemory,
  ): R
}

/** Collects a program's nodes; operands count in the order of their declaration. All arithmetic is mod 2^64. */
export class ProgramBuilder {
  readonly operands: OperandType[] = []
  readonly nodes: Node[] = []

  /**
   * An operand of one lane for each element, all of them below 2^bits: a promise, of use where a value is shifted down.
   */
  lanes(width: LaneWidth = 64, bits: number = width): Value {
    checkBits(bits)
    return this.#operand({ kind: 'lanes', width, bits: Math.min(bits, width) })
  }

  /**
   * An operand that is columns `from` to `from + width` of rows of `stride` lanes; a stride of 0 repeats one
   * row.
   */
  columns(width: number, stride: number, from: number): Value {
    if (from === 0 && width === stride) return this.lanes()
    return this.#operand({ kind: 'columns', width, stride, from })
  }

  /** An operand of one lane for every `run` elements, as a factor of a whole row is. */
  runs(run: number): Value {
    return run === 1 ? this.lanes() : this.#operand({ kind: 'runs', run })
  }

  /**
   * An operand of packed bits, as they came from the other party or from a keystream. Throws `KernelError`
   * beyond 64.
   */
  packed(bits: number): Value {
    checkBits(bits)
    return this.#operand({ kind: 'packed', bits })
  }

  /** a + b. */
  add(a: Value, b: Value): Value {
    return this.#node({ op: 'add', a: a.node, b: b.node })
  }

  /** a - b. */
  sub(a: Value, b: Value): Value {
    return this.#node({ op: 'sub', a: a.node, b: b.node })
  }

  /** a * b. */
  mul(a: Value, b: Value): Value {
    return this.#node({ op: 'mul', a: a.node, b: b.node })
  }

  /** a + constant. */
  plus(a: Value, constant: bigint): Value {
    return constant === 0n ? a : this.#node({ op: 'plus', a: a.node, constant })
  }

  /** constant - a. */
  from(constant: bigint, a: Value): Value {
    return this.#node({ op: 'from', a: a.node, constant })
  }

  /** a * constant. */
  times(a: Value, constant: bigint): Value {
    return constant === 1n ? a : this.#node({ op: 'times', a: a.node, constant })
  }

  /** a mod 2^bits. */
  reduce(a: Value, bits: number): Value {
    return bits === 64 ? a : this.#node({ op: 'and', a: a.node, constant: (1n << BigInt(bits)) - 1n })
  }

  /** a * 2^by; zero where by is 64 and more. */
  shl(a: Value, by: number): Value {
    if (by >= 64) return this.#node({ op: 'and', a: a.node, constant: 0n })
    return by === 0 ? a : this.#node({ op: 'shl', a: a.node, constant: BigInt(by) })
  }

  /** floor(a / 2^by), by < 64. */
  shr(a: Value, by: number): Value {
    return by === 0 ? a : this.#node({ op: 'shr', a: a.node, constant: BigInt(by) })
  }

  /** An output of one lane for each element, mod 2^width; bits above its ring are whatever the program left there. */
  out<W extends LaneWidth = 64>(a: Value, width: W = 64 as W): Output<LaneArray<W>> {
    return { node: a.node, type: { kind: 'lanes', width } }
  }

  /** Packed as `PackingKernels.pack` does, mod 2^bits. */
  pack(a: Value, bits: number): Output<Uint8Array> {
    checkBits(bits)
    return { node: a.node, type: { kind: 'packed', bits } }
  }

  /** One sum for every `run` elements. */
  sums(a: Value, run: number): Output<BigUint64Array> {
    return { node: a.node, type: { kind: 'sums', run } }
  }

  #operand(type: OperandType): Value {
    this.operands.push(type)
    return this.#node({ op: 'operand', operand: this.operands.length - 1 })
  }

  #node(node: Node): Value {
    this.nodes.push('constant' in node ? { ...node, constant: BigInt.asUintN(64, node.constant) } : node)
    return { node: this.nodes.length - 1 }
  }
}

/** The program whose outputs `build` returns. */
export function program<const R extends readonly Result[]>(
  build: (p: ProgramBuilder) => { readonly [K in keyof R]: Output<R[K]> },
): Program<R> {
  const builder = new ProgramBuilder()
  const outputs = build(builder)
  return { operands: builder.operands, nodes: builder.nodes, outputs }
}

/** Elements that an operand of this type must have for `count` elements of the program. */
function operandLength(type: OperandType, count: number): number {
  if (type.kind === 'packed') return packedBytes(count, type.bits)
  if (type.kind === 'runs') return count / type.run
  if (type.kind === 'lanes') return count
  const { width, stride, from } = type
  return stride === 0 ? from + width : (count / width) * stride
}

/** Arguments of `ProgramKernels.evaluate`. */
export function checkEvaluate(p: Program, operands: readonly Operand[], count: number): void {
  demand(
    operands.length === p.operands.length,
    `a program of ${p.operands.length} operands got ${operands.length}`,
  )
  for (const [i, type] of p.operands.entries()) {
    const operand = operands[i]
    const want = operandLength(type, count)
    const isKind =
      operand instanceof Uint8Array
        ? type.kind === 'packed'
        : type.kind !== 'packed' && widthOf(operand) === (type.kind === 'lanes' ? type.width : 64)
    demand(
      operand.length === want && isKind,
      `operand ${i} (${type.kind}) has ${operand.length} elements, not ${want} for ${count}`,
    )
  }
  for (const { type } of p.outputs)
    demand(type.kind !== 'sums' || count % type.run === 0, `${count} elements are no whole runs`)
}

/** An array for a program's output; one of sums has zeros. */
export function resultOf(type: OutputType, count: number, memory = fresh): Result {
  if (type.kind === 'packed') return new Uint8Array(memory(packedBytes(count, type.bits)))
  if (type.kind === 'sums') return new BigUint64Array(count / type.run)
  return laneArray(type.width, count, memory((count * type.width) / 8))
}
