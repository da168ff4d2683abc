/** Where the parts of a pass that are not messages come from: masks and correlations, role by role. */
import type { Kernels } from '../kernels/kernels.ts'
import { type Program, program } from '../kernels/program.ts'
import { Pieces } from './pieces.ts'
import type { Blinded, Opened, Plan, Role, Shape, Slot, Step } from './plan.ts'
import { count, rowCount, slotBytes, slotCount, slotValues } from './plan.ts'
import { laneBytes, type Prg, streamId } from './prg.ts'
import type { Lanes } from './ring.ts'

/** Index of a slot among its step's streams. */
export function slotIndex(step: Step, slot: Slot): number {
  const index = step.slots.findIndex((s) => s.name === slot.name)
  if (index < 0) throw new RangeError(`step ${step.id} (${step.op}) deals no '${slot.name}'`)
  return index
}

/** Memory of so many bytes, to be overwritten. */
type MakeBytes = (bytes: number) => Uint8Array
const fresh: MakeBytes = (bytes) => new Uint8Array(bytes)

/** Bytes of keystream that one value of a mask takes. */
export const maskWidth = (value: Opened | Blinded): 1 | 2 | 4 | 8 =>
  value.kind === 'blinded' || value.wide ? 8 : laneBytes(value.maskRing)

/** A party's (or the owner's, at the dealer) part of a mask for every row, as its keystream's words. */
export function maskWords(
  prg: Prg,
  shape: Shape,
  value: Opened | Blinded,
  make: MakeBytes = fresh,
): Uint8Array {
  const width = maskWidth(value)
  const out = make(count(shape, value.layout, value.width) * width)
  for (let r = 0, at = 0; r < shape.rows; r++) {
    const bytes = rowCount(shape, r, value.layout, value.width) * width
    if (bytes > 0) prg.words(value.stream, shape.serial + r, width, out.subarray(at, at + bytes))
    at += bytes
  }
  return out
}

/** The same as lanes mod 2^maskRing (opened) or 2^ring (blinded). */
export function maskLanes(
  prg: Prg,
  shape: Shape,
  value: Opened | Blinded,
  words = maskWords(prg, shape, value),
): Lanes {
  return prg.widened(words, maskWidth(value), value.kind === 'opened' ? value.maskRing : value.ring)
}

const sums = new Map<string, Program<[Lanes]>>()

/** Both parties' parts of a mask, added, mod 2^maskRing. */
export function wholeMask(kernels: Kernels, parts: readonly Prg[], shape: Shape, value: Opened): Lanes {
  const bits = 8 * maskWidth(value)
  const name = `${bits} ${value.maskRing}`
  const sum =
    sums.get(name) ??
    program<[Lanes]>((p) => [p.out(p.reduce(p.add(p.packed(bits), p.packed(bits)), value.maskRing))])
  sums.set(name, sum)
  const words = parts.map((prg) => maskWords(prg, shape, value, (bytes) => prg.scratch.take(bytes)))
  const [lanes] = kernels.evaluate(sum, words, count(shape, value.layout, value.width))
  for (const prg of parts) prg.scratch.release()
  return lanes
}

const slotStream = (step: Step, slot: Slot): number => slot.stream ?? streamId(step.id, slotIndex(step, slot))

/** The owner's share of a slot: its keystream. */
export const slotLanes = (prg: Prg, shape: Shape, step: Step, slot: Slot): Lanes =>
  prg.widened(slotWords(prg, shape, step, slot), slotWidth(slot), slot.bits)

/** Bytes of keystream that one value of a slot takes. */
export const slotWidth = (slot: Slot): 1 | 2 | 4 | 8 => (slot.stream === undefined ? laneBytes(slot.bits) : 8)

/** The owner's share of a slot before it is widened and reduced: the bytes of its keystream, row after row. */
export function slotWords(
  prg: Prg,
  shape: Shape,
  step: Step,
  slot: Slot,
  make: MakeBytes = fresh,
): Uint8Array {
  const width = slotWidth(slot)
  const out = make(slotValues(shape, slot) * width)
  for (let r = 0, at = 0; r < shape.rows; r++) {
    const bytes = slotCount(shape, r, slot) * width
    if (bytes > 0) prg.words(slotStream(step, slot), shape.serial + r, width, out.subarray(at, at + bytes))
    at += bytes
  }
  return out
}

/** The same of one row, from value `first` on, whose keystream must begin with a block: fills `out`. */
export function slotPiece(
  prg: Prg,
  shape: Shape,
  step: Step,
  slot: Slot,
  row: number,
  first: number,
  out: Uint8Array,
): void {
  prg.raw(slotStream(step, slot), shape.serial + row, out, first * slotWidth(slot))
}

/** The owner's share of a slot of 8 or 32 bits, as little-endian machine words. */
export function slotRaw(prg: Prg, shape: Shape, step: Step, slot: Slot): Uint8Array {
  const stream = slotStream(step, slot)
  const out = new Uint8Array(slotBytes(shape, slot))
  for (let r = 0, at = 0; r < shape.rows; r++) {
    const n = (slotCount(shape, r, slot) * slot.bits) / 8
    if (n > 0) prg.raw(stream, shape.serial + r, out.subarray(at, at + n))
    at += n
  }
  return out
}

/** Bits that each value of a party's share of a slot takes in `Correlations.packed`. */
export const sharedBits = (role: Role, slot: Slot): number =>
  role === 'owner' ? 8 * slotWidth(slot) : slot.bits

/** A party's access to its side of the dealt correlations. */
export interface Correlations {
  read(step: Step, slot: Slot): Lanes
  /** The same before it is widened and reduced: packed values of `sharedBits` bits, there until `release`. */
  packed(step: Step, slot: Slot): Uint8Array
  /** What `packed` gave has been read. */
  release(): void
  /** A slot of 8 bits. */
  bytes(step: Step, slot: Slot): Uint8Array
  /** Entries of the tables of elements `first` and on, one each. */
  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes
  /** Nothing of this step will be read again. */
  forget(step: Step): void
}

/** The owner expands its side from the session's key. */
export class SeededCorrelations implements Correlations {
  readonly #prg: Prg
  readonly #shape: Shape

  constructor(prg: Prg, shape: Shape) {
    this.#prg = prg
    this.#shape = shape
  }

  read(step: Step, slot: Slot): Lanes {
    return slotLanes(this.#prg, this.#shape, step, slot)
  }

  packed(step: Step, slot: Slot): Uint8Array {
    return slotWords(this.#prg, this.#shape, step, slot, (bytes) => this.#prg.scratch.take(bytes))
  }

  release(): void {
    this.#prg.scratch.release()
  }

  bytes(step: Step, slot: Slot): Uint8Array {
    return slotRaw(this.#prg, this.#shape, step, slot)
  }

  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes {
    const { entries = 1, words = 1, bits } = slot
    const stream = slotStream(step, slot)
    const rows: { serial: number; count: number }[] = []
    const firsts = new Float64Array(index.length)
    for (let r = 0, start = -first; r < this.#shape.rows && start < index.length; r++) {
      const n = rowCount(this.#shape, r, slot.layout, slot.width)
      const from = Math.max(start, 0)
      const end = Math.min(start + n, index.length)
      if (end > from) rows.push({ serial: this.#shape.serial + r, count: end - from })
      for (let i = from; i < end; i++) firsts[i] = ((i - start) * entries + index[i]) * words
      start += n
    }
    return this.#prg.windows(stream, rows, firsts, words, bits)
  }

  forget(): void {}
}

/** The server reads the dealer's packed corrections; tables stay packed and only the opened entry is unpacked. */
export class PackedCorrections implements Correlations {
  readonly #kernels: Kernels
  readonly #shape: Shape
  readonly #bytes = new Map<number, Pieces>()

  constructor(kernels: Kernels, shape: Shape) {
    this.#kernels = kernels
    this.#shape = shape
  }

  /** Takes a step's corrections. Throws `RangeError` when their length is not the declared one. */
  put(step: Step, bytes: Pieces | Uint8Array): void {
    const declared = materialBytes(this.#shape, step)
    if (bytes.length !== declared)
      throw new RangeError(`step ${step.id} (${step.op}): ${bytes.length} bytes dealt, ${declared} declared`)
    this.#bytes.set(step.id, bytes instanceof Pieces ? bytes : new Pieces([bytes]))
  }

  has(step: Step): boolean {
    return step.slots.length === 0 || this.#bytes.has(step.id)
  }

  read(step: Step, slot: Slot): Lanes {
    return this.#kernels.unpack(this.#part(step, slot), slot.bits, slotValues(this.#shape, slot))
  }

  packed(step: Step, slot: Slot): Uint8Array {
    return this.#part(step, slot)
  }

  release(): void {}

  bytes(step: Step, slot: Slot): Uint8Array {
    return this.#part(step, slot)
  }

  lookup(step: Step, slot: Slot, index: Uint32Array, first: number): Lanes {
    const { entries = 1, words = 1, bits } = slot
    const size = (words * bits) / 8
    const start = this.#start(step, slot) + first * entries * size
    const picked = this.#of(step).pick(start, entries, index, size)
    return this.#kernels.unpack(picked, bits, index.length * words)
  }

  forget(step: Step): void {
    this.#bytes.delete(step.id)
  }

  #part(step: Step, slot: Slot): Uint8Array {
    const start = this.#start(step, slot)
    return this.#of(step).slice(start, start + slotBytes(this.#shape, slot))
  }

  #of(step: Step): Pieces {
    const bytes = this.#bytes.get(step.id)
    if (!bytes) throw new RangeError(`step ${step.id} (${step.op}): nothing dealt yet`)
    return bytes
  }

  /** Where a slot's bytes begin among those of its step. */
  #start(step: Step, slot: Slot): number {
    const before = step.slots.slice(0, slotIndex(step, slot))
    return before.reduce((sum, s) => sum + slotBytes(this.#shape, s), 0)
  }
}

/** Declared bytes that the dealer sends for one step. */
export const materialBytes = (shape: Shape, step: Step): number =>
  step.slots.reduce((sum, slot) => sum + slotBytes(shape, slot), 0)

/** Declared bytes that the dealer sends for a whole pass, of one band or several. */
export const planMaterialBytes = (bands: readonly Shape[], plan: Plan): number =>
  bands.reduce((sum, shape) => plan.steps.reduce((n, step) => n + materialBytes(shape, step), sum), 0)
