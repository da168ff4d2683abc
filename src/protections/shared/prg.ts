/**
 * Keystreams that shares and masks come from. One key a party pair; a stream is (step, slot), a serial is the row's
 * never-decreasing number, so no element of any stream is ever used for two values: not by token position, which
 * regenerate, edit and rollback would repeat.
 */
import type { Kernels } from '../../kernels/kernels.ts'
import { type Program, program } from '../../kernels/program.ts'
import type { Lanes } from './ring.ts'
import { maskOf } from './ring.ts'
import { Scratch } from './scratch.ts'

/** Streams of one step: slots 0..30, then the step's own mask. */
const STREAMS_PER_STEP = 32
/** A step's own mask, after its slots. */
export const MASK_STREAM = 31

/** The stream of a step's slot. */
export const streamId = (step: number, slot: number): number => step * STREAMS_PER_STEP + slot

/**
 * Above the steps: streams of what the masks of cached keys and values are in, those masks themselves and the owner's
 * shares of products with them. They are read under a key of their own, so that whoever is shown a pass's other key learns
 * nothing of what was cached before it.
 */
const KEPT_STREAMS = 0x4000_0000
/** The stream of a step's slot that masks of cached values go into. */
export const keptStreamId = (step: number, slot: number): number => KEPT_STREAMS + streamId(step, slot)
/** Whether a stream is one of those. */
export const isKept = (stream: number): boolean => stream >= KEPT_STREAMS && stream < WEIGHT_STREAMS

/** Above all steps: streams named by weight, so that products made ahead serve whatever plan a row ends up in. */
const WEIGHT_STREAMS = 0x8000_0000
/** Of the owner's masks a of the rows that a weight multiplies. */
export const weightMaskStream = (weight: number): number => WEIGHT_STREAMS + 2 * weight
/** Of the owner's shares c of what is dealt for them. */
export const weightSumStream = (weight: number): number => WEIGHT_STREAMS + 2 * weight + 1

/** Under a key that passes' keys come from, and nothing else does. */
const PASS_KEYS = 0xffff_ffff

/** 12 bytes: u32le stream, u64le serial (RFC 8439 nonce). */
export function nonce(stream: number, serial: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(stream, serial % 4294967296, serial / 4294967296).buffer)
}

/** Bytes of keystream that one element of a ring takes: the next machine word. */
export const laneBytes = (bits: number): 1 | 2 | 4 | 8 =>
  bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8

/** A key derived from a seed for one purpose, by the keystream itself under a reserved nonce. */
export function deriveKey(kernels: Kernels, seed: Uint8Array, purpose: string): Uint8Array {
  const label = new TextEncoder().encode(purpose)
  if (label.length > 12) throw new RangeError(`purpose '${purpose}' is longer than 12 bytes`)
  const name = new Uint8Array(12)
  name.set(label)
  const block = new Uint8Array(64)
  kernels.keystream(seed, name, 0, block)
  return block.slice(0, 32)
}

/** The owner's keys of one pass, 32 bytes each. */
export interface OwnerKeys {
  /** Of all streams but those that masks of cached values go into. */
  readonly pass: Uint8Array
  readonly kept: Uint8Array
}

/**
 * The owner's keys of one pass, by the serial of its first row, which no other pass has: who is shown one of them knows
 * nothing of the other, nor of any other pass's.
 */
export function passKeys(kernels: Kernels, root: Uint8Array, serial: number): OwnerKeys {
  const block = new Uint8Array(64)
  kernels.keystream(root, nonce(PASS_KEYS, serial), 0, block)
  return { pass: block.slice(0, 32), kept: block.slice(32) }
}

/** Widens raw keystream to lanes reduced mod 2^bits. */
function lanes(bytes: Uint8Array, width: number, bits: number, out: Lanes, at: number): void {
  const m = maskOf(bits)
  const n = bytes.length / width
  if (width === 8) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, n)
    for (let i = 0; i < n; i++) out[at + i] = words[i] & m
    return
  }
  const m32 = Number(m)
  const halves = new Uint32Array(out.buffer, out.byteOffset + 8 * at, 2 * n)
  const words =
    width === 1
      ? bytes
      : width === 2
        ? new Uint16Array(bytes.buffer, bytes.byteOffset, n)
        : new Uint32Array(bytes.buffer, bytes.byteOffset, n)
  for (let i = 0; i < n; i++) {
    halves[2 * i] = words[i] & m32
    halves[2 * i + 1] = 0
  }
}

const widenings = new Map<string, Program<[Lanes]>>()

/** Packed values of `packed` bits to lanes mod 2^bits. */
function widening(packed: number, bits: number): Program<[Lanes]> {
  const name = `${packed} ${bits}`
  const known = widenings.get(name) ?? program<[Lanes]>((p) => [p.out(p.reduce(p.packed(packed), bits))])
  widenings.set(name, known)
  return known
}

/** One key's streams, or those of a pass's two keys. */
export class Prg {
  readonly #kernels: Kernels
  readonly #key: Uint8Array
  readonly #kept: Uint8Array
  readonly #words = new Uint32Array(3)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  /** For keystreams that are read at once. */
  readonly scratch = new Scratch()

  /** @param kept key of the streams that masks of cached values go into */
  constructor(kernels: Kernels, key: Uint8Array, kept = key) {
    this.#kernels = kernels
    this.#key = key
    this.#kept = kept
  }

  #keyOf(stream: number): Uint8Array {
    return isKept(stream) ? this.#kept : this.#key
  }

  /** `nonce`, in memory that the next one takes. */
  #nonce(stream: number, serial: number): Uint8Array {
    this.#words[0] = stream
    this.#words[1] = serial % 4294967296
    this.#words[2] = serial / 4294967296
    return this.#bytes
  }

  /** The stream's first `n` elements mod 2^bits for one row, written to `out` from `at`. */
  fill(
    stream: number,
    serial: number,
    bits: number,
    out: Lanes,
    at: number,
    n: number,
    width = laneBytes(bits),
  ): void {
    // Words as wide as a lane need no second buffer.
    const inPlace = width === 8
    const bytes = inPlace
      ? new Uint8Array(out.buffer, out.byteOffset + 8 * at, 8 * n)
      : new Uint8Array(n * width)
    this.#kernels.keystream(this.#keyOf(stream), this.#nonce(stream, serial), 0, bytes)
    if (!inPlace) lanes(bytes, width, bits, out, at)
    else if (bits < 64) {
      const m = maskOf(bits)
      for (let i = at; i < at + n; i++) out[i] = out[i] & m
    }
  }

  /** The first words of one row's stream, `width` bytes each, as they come: fills `out`. */
  words(stream: number, serial: number, width: number, out: Uint8Array): void {
    if (out.length % width > 0) throw new RangeError(`${out.length} bytes are no words of ${width}`)
    this.raw(stream, serial, out)
  }

  /** Words of `width` bytes widened to lanes mod 2^bits. */
  widened(words: Uint8Array, width: number, bits: number): Lanes {
    const [lanes] = this.#kernels.evaluate(widening(8 * width, bits), [words], words.length / width)
    return lanes
  }

  /** Raw keystream bytes of one row's stream, from a multiple of 64 on. */
  raw(stream: number, serial: number, bytes: Uint8Array, from = 0): void {
    this.#kernels.keystream(this.#keyOf(stream), this.#nonce(stream, serial), from, bytes)
  }

  /**
   * Elements firsts[i]..firsts[i]+n-1 of a row's stream for every i: what reading one entry of each of many dealt
   * tables takes. The first rows[0].count of them are of row rows[0].serial, and so on, and each row's ascend.
   */
  windows(
    stream: number,
    rows: readonly { serial: number; count: number }[],
    firsts: Float64Array,
    n: number,
    bits: number,
  ): Lanes {
    const width = laneBytes(bits)
    const perBlock = 64 / width
    /** Blocks from the first window of a row to its last. */
    const runs: Run[] = []
    let all = 0
    let at = 0
    for (const { serial, count } of rows) {
      if (count === 0) continue
      const first = Math.floor(firsts[at] / perBlock)
      at += count
      const blocks = Math.ceil((firsts[at - 1] + n) / perBlock) - first
      runs.push({ serial, first, blocks, count })
      all += blocks
    }
    // Small tables lie so close that whole runs cost less than the blocks that are read.
    const bytes = all <= at * this.#kernels.blocksInARow ? this.#sequential(stream, runs, all) : undefined
    return bytes
      ? gather(bytes, width, bits, placesIn(runs, firsts, perBlock), n)
      : this.#scattered(stream, rows, firsts, n, bits)
  }

  /** Runs of blocks, one row's after another's. */
  #sequential(stream: number, runs: readonly Run[], blocks: number): Uint8Array {
    const bytes = new Uint8Array(64 * blocks)
    let from = 0
    for (const { serial, first, blocks: own } of runs) {
      this.raw(stream, serial, bytes.subarray(from, from + 64 * own), 64 * first)
      from += 64 * own
    }
    return bytes
  }

  #scattered(
    stream: number,
    rows: readonly { serial: number; count: number }[],
    firsts: Float64Array,
    n: number,
    bits: number,
  ): Lanes {
    const width = laneBytes(bits)
    const perBlock = 64 / width
    const places = new Uint32Array(3 * firsts.length * (1 + Math.ceil(n / perBlock)))
    const starts = new Uint32Array(firsts.length)
    let blocks = 0
    let i = 0
    for (const { serial, count } of rows) {
      const low = serial % 4294967296
      const high = Math.floor(serial / 4294967296)
      for (const end = i + count; i < end; i++) {
        let block = Math.floor(firsts[i] / perBlock)
        starts[i] = firsts[i] + (blocks - block) * perBlock
        for (; block * perBlock < firsts[i] + n; block++, blocks++) {
          places[3 * blocks] = block
          places[3 * blocks + 1] = low
          places[3 * blocks + 2] = high
        }
      }
    }
    const bytes = this.#kernels.blocks(this.#keyOf(stream), stream, places.subarray(0, 3 * blocks))
    return gather(bytes, width, bits, starts, n)
  }
}

/** Blocks of one row's stream from `first` on, and the windows that lie in them. */
interface Run {
  readonly serial: number
  readonly first: number
  readonly blocks: number
  readonly count: number
}

/** Where each window begins in the runs' words. */
function placesIn(runs: readonly Run[], firsts: Float64Array, perBlock: number): Uint32Array {
  const starts = new Uint32Array(firsts.length)
  let i = 0
  let before = 0
  for (const { first, blocks, count } of runs) {
    const shift = (before - first) * perBlock
    for (const end = i + count; i < end; i++) starts[i] = firsts[i] + shift
    before += blocks
  }
  return starts
}

/** n words from each start (in words), widened to lanes. */
function gather(bytes: Uint8Array, width: number, bits: number, starts: Uint32Array, n: number): Lanes {
  const out = new BigUint64Array(starts.length * n)
  const m = maskOf(bits)
  if (width === 8) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
    for (let i = 0, to = 0; i < starts.length; i++)
      for (let k = 0, from = starts[i]; k < n; k++) out[to++] = words[from++] & m
    return out
  }
  const m32 = Number(m)
  const low = new Uint32Array(out.buffer)
  const words =
    width === 1
      ? bytes
      : width === 2
        ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
        : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  for (let i = 0, to = 0; i < starts.length; i++)
    for (let k = 0, from = starts[i]; k < n; k++, to += 2) low[to] = words[from++] & m32
  return out
}
