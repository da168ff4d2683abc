/**
 * What owner and server say during passes. One byte of kind, u32le pass number, then:
 *
 * | kind | from | rest |
 * |---|---|---|
 * | 1 begin | owner | u32 base, u32 rows (top bit: few bytes, next: in one row chunk), u64 first serial, the message sent ahead |
 * | 2 data | both | u16 message index, u8 row chunk, payload |
 * | 3 abandon | owner | nothing: the pass is given up and its masks are burnt |
 * | 4 more | owner | more of the message sent ahead, where it is too long for `begin` |
 * | 5 audit | owner | the pass's key (32), or both keys of one whose cache was rehearsed, too (64): it was a rehearsal, and is to be dealt again and compared |
 * | 6 verdict | server | u8 whether it was dealt rightly, the server's signature of that (64) |
 */
import type { Shape } from '../shape.ts'

/** A message that has been read. */
export type PassMessage =
  | { kind: 'begin'; pass: number; shape: Shape; payload: Uint8Array }
  | { kind: 'data'; pass: number; index: number; rowChunk: number; payload: Uint8Array }
  | { kind: 'abandon'; pass: number }
  | { kind: 'more'; pass: number; payload: Uint8Array }
  | { kind: 'audit'; pass: number; payload: Uint8Array }
  | { kind: 'verdict'; pass: number; isRight: boolean; payload: Uint8Array }

/** A message that is not one of a pass, or comes when it must not. */
export class PassError extends Error {
  override readonly name = 'PassError'
  readonly code: string
  readonly advice: string

  constructor(
    code: 'malformed' | 'out-of-turn' | 'replayed' | 'context' | 'pass-mismatch' | 'audit-failed',
    message: string,
    advice = 'Start a new session.',
  ) {
    super(message)
    this.code = code
    this.advice = advice
  }
}

const HEADER = 5
const BEGIN = HEADER + 16
const DATA = HEADER + 3
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** The message's bytes, as the table above has them. */
export function encodePass(message: PassMessage): Uint8Array {
  const size = {
    begin: BEGIN,
    data: DATA,
    abandon: HEADER,
    more: HEADER,
    audit: HEADER,
    verdict: HEADER + 1,
  }[message.kind]
  const payload = message.kind === 'abandon' ? new Uint8Array() : message.payload
  const out = new Uint8Array(size + payload.length)
  const view = new DataView(out.buffer)
  view.setUint32(1, message.pass, true)
  if (message.kind === 'begin') {
    out[0] = 1
    writeShape(view, HEADER, message.shape)
  } else if (message.kind === 'data') {
    out[0] = 2
    view.setUint16(HEADER, message.index, true)
    out[HEADER + 2] = message.rowChunk
  } else out[0] = { abandon: 3, more: 4, audit: 5, verdict: 6 }[message.kind]
  if (message.kind === 'verdict') out[HEADER] = message.isRight ? 1 : 0
  out.set(payload, size)
  return out
}

/** Throws `PassError` on anything that is not a pass message. */
export function decodePass(bytes: Uint8Array): PassMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = bytes[0]
  if (bytes.length >= HEADER) {
    const pass = view.getUint32(1, true)
    if (kind === 1 && bytes.length >= BEGIN)
      return { kind: 'begin', pass, shape: readShape(view, HEADER), payload: bytes.subarray(BEGIN) }
    if (kind === 2 && bytes.length >= DATA)
      return {
        kind: 'data',
        pass,
        index: view.getUint16(HEADER, true),
        rowChunk: bytes[HEADER + 2],
        payload: bytes.subarray(DATA),
      }
    if (kind === 3 && bytes.length === HEADER) return { kind: 'abandon', pass }
    if (kind === 4 && bytes.length > HEADER) return { kind: 'more', pass, payload: bytes.subarray(HEADER) }
    if (kind === 5 && [1, 2].includes((bytes.length - HEADER) / KEY_BYTES))
      return { kind: 'audit', pass, payload: bytes.slice(HEADER) }
    if (kind === 6 && bytes.length === HEADER + 1 + SIGNATURE_BYTES && bytes[HEADER] <= 1)
      return { kind: 'verdict', pass, isRight: bytes[HEADER] === 1, payload: bytes.slice(HEADER + 1) }
  }
  throw new PassError('malformed', 'A message of the session is malformed.')
}

/** What the owner asks the dealer for: 16 bytes. */
export function encodeRequest(shape: Shape): Uint8Array {
  const out = new Uint8Array(16)
  writeShape(new DataView(out.buffer), 0, shape)
  return out
}

/** Reads what `encodeRequest` writes. Throws `PassError` on another length or an impossible serial. */
export function decodeRequest(bytes: Uint8Array): Shape {
  if (bytes.length !== 16) throw new PassError('malformed', 'A pass request has the wrong length.')
  return readShape(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0)
}

/** Added to the number of rows: run the plan of few bytes, run in one row chunk. */
const FEW_BYTES = 2 ** 31
const WHOLE = 2 ** 30

function writeShape(view: DataView, at: number, shape: Shape): void {
  view.setUint32(at, shape.base, true)
  view.setUint32(
    at + 4,
    shape.rows + (shape.goal === 'bytes' ? FEW_BYTES : 0) + (shape.isWhole ? WHOLE : 0),
    true,
  )
  view.setBigUint64(at + 8, BigInt(shape.serial), true)
}

function readShape(view: DataView, at: number): Shape {
  const serial = view.getBigUint64(at + 8, true)
  if (serial > BigInt(Number.MAX_SAFE_INTEGER - MAX_ROWS))
    throw new PassError('malformed', 'A row number is too large.')
  const rows = view.getUint32(at + 4, true)
  return {
    base: view.getUint32(at, true),
    rows: rows % WHOLE,
    serial: Number(serial),
    ...(rows >= FEW_BYTES ? { goal: 'bytes' as const } : {}),
    ...(rows % FEW_BYTES >= WHOLE ? { isWhole: true } : {}),
  }
}

/** Rows of one pass of a decoder at most: a longer prompt is read in several passes. */
export const MAX_ROWS = 64

/** Serials never go back, whoever asks: the one rule that keeps every mask to one use. */
export class SerialGuard {
  #next = 0
  readonly #context: number
  readonly #counts?: readonly number[]

  /** @param counts the numbers of rows that passes may have, all from position 0; any up to `MAX_ROWS` where left out. */
  constructor(context: number, counts?: readonly number[]) {
    this.#context = context
    this.#counts = counts
  }

  /** Throws `PassError` for rows that were used before, or that do not fit the context. */
  admit(shape: Shape): void {
    // Beyond, neighbouring rows would have one number, and one mask.
    if (!Number.isSafeInteger(shape.serial + shape.rows))
      throw new PassError('malformed', 'A row number is too large.')
    if (shape.serial < this.#next) throw new PassError('replayed', 'A pass would use masks again.')
    this.check(shape)
    this.#next = shape.serial + shape.rows
  }

  /** Throws `PassError` for rows that do not fit the context, whatever their numbers. */
  check(shape: Shape): void {
    const isOfRows = this.#counts
      ? shape.base === 0 && this.#counts.includes(shape.rows)
      : shape.rows >= 1 && shape.rows <= MAX_ROWS
    if (!isOfRows || shape.base + shape.rows > this.#context)
      throw new PassError(
        'context',
        `A pass of ${shape.rows} rows after ${shape.base} does not fit the context.`,
      )
  }
}
