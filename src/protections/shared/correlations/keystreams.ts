/** The keystreams behind masks and dealt slots, and the bytes that dealing takes. */
import { type Program, type ProgramKernels, program } from '../../../kernels/program.ts'
import { type Slot, slotCount, slotValues } from '../dealt.ts'
import { keptStreamId, laneBytes, type Prg, streamId } from '../prg.ts'
import type { LaneBits, Lanes } from '../ring.ts'
import { count, rowCount, type Shape } from '../shape.ts'
import type { Step } from '../step.ts'
import { maskRingOf, type Opened, type UnderMask } from '../values.ts'

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
export const maskWidth = (value: UnderMask): 1 | 2 | 4 | 8 =>
  value.kind === 'masked' || value.isWide ? 8 : laneBytes(value.maskRing)

/** A party's (or the owner's, at the dealer) part of a mask for every row, as its keystream's words. */
export function maskWords(prg: Prg, shape: Shape, value: UnderMask, make: MakeBytes = fresh): Uint8Array {
  const width = maskWidth(value)
  const out = make(count(shape, value.layout, value.width) * width)
  for (let r = 0, at = 0; r < shape.rows; r++) {
    const bytes = rowCount(shape, r, value.layout, value.width) * width
    if (bytes > 0) prg.words(value.stream, shape.serial + r, width, out.subarray(at, at + bytes))
    at += bytes
  }
  return out
}

/** A party's part of a mask for every row, as lanes mod 2^maskRing (opened) or 2^ring (masked). */
export function maskLanes(
  prg: Prg,
  shape: Shape,
  value: UnderMask,
  words = maskWords(prg, shape, value),
): Lanes {
  return prg.widened(words, maskWidth(value), maskRingOf(value))
}

const sums = new Map<string, Program<[Lanes]>>()

/** Both parties' parts of a mask, added, mod 2^maskRing. */
export function wholeMask(
  kernels: ProgramKernels,
  parts: readonly Prg[],
  shape: Shape,
  value: Opened<LaneBits>,
): Lanes {
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

/** The keystream that a slot's owner's share comes from. */
export const slotStream = (step: Step, slot: Slot): number =>
  slot.stream ?? (step.attends ? keptStreamId : streamId)(step.id, slotIndex(step, slot))

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

/** Words of one row of a slot, from value `first` on, whose keystream must begin with a block: fills `out`. */
export function slotPart(
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
