/**
 * The unit on the wire: a 24-byte header and a payload.
 *
 * | offset | size | field |
 * |---:|---:|---|
 * | 0 | 2 | magic "So" |
 * | 2 | 1 | version |
 * | 3 | 1 | type |
 * | 4 | 1 | flags |
 * | 5 | 3 | zero |
 * | 8 | 4 | sequence number, little endian like all that follow |
 * | 12 | 4 | highest sequence number received without a gap |
 * | 16 | 4 | payload length |
 * | 20 | 4 | CRC-32 of bytes 0-19 and the payload |
 */
import { crc32 } from './crc32.ts'
import { LinkError } from './errors.ts'
import { limits } from './limits.ts'

/** Bytes before the payload. */
export const HEADER_BYTES = 24
/** Ends of different versions refuse each other (`version`). */
export const FRAME_VERSION = 1
const MAGIC = 0x6f53

/** What a frame is for. */
export const FrameType = Object.freeze({
  /** A chunk of a message; the only type that consumes a sequence number. */
  data: 1,
  /** Carries `ack`; `seq` is the last data frame sent, so that a lost tail is noticed. */
  ack: 2,
  /** Dialling side: payload is the link's token. */
  open: 3,
  /** Answer to `open`. */
  welcome: 4,
  /** Asks for an `ack`. */
  ping: 5,
  /** Payload is JSON `{code, message}`. */
  close: 6,
})

/** Bits of the flags byte; any other bit makes a frame malformed. */
export const FrameFlag = Object.freeze({
  /** Last chunk of its message. */
  end: 1,
  /** The sender of the message waits for an answer. */
  reply: 2,
  /** Fetch link: hold the response until there is a message. */
  wait: 4,
  /** The link existed before: do not make a new one. */
  resume: 8,
})
const KNOWN_FLAGS = 15

/** A frame without what follows from its fields: magic, version, length and checksum. */
export interface Frame {
  type: number
  flags: number
  seq: number
  ack: number
  payload: Uint8Array
}

/**
 * The bytes of one frame. Throws `LinkError` (`oversized`) above `limits.chunkBytes` of payload.
 *
 * @param room memory to make the frame in, of an earlier frame or fresh; without it, memory of its own
 */
export function encodeFrame({ type, flags, seq, ack, payload }: Frame, room?: Uint8Array): Uint8Array {
  if (payload.length > limits.chunkBytes) {
    throw new LinkError('oversized', `A frame of ${payload.length} bytes is above the limit.`)
  }
  const length = HEADER_BYTES + payload.length
  const bytes = room?.subarray(0, length) ?? new Uint8Array(length)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint16(0, MAGIC, true)
  bytes[2] = FRAME_VERSION
  bytes[3] = type
  bytes[4] = flags
  view.setUint32(8, seq, true)
  view.setUint32(12, ack, true)
  view.setUint32(16, payload.length, true)
  bytes.set(payload, HEADER_BYTES)
  view.setUint32(20, checksum(bytes), true)
  return bytes
}

const checksum = (frame: Uint8Array): number =>
  crc32(frame.subarray(HEADER_BYTES), crc32(frame.subarray(0, 20)))

/** Length of the frame that starts at `offset`, from its header alone. Throws `LinkError`. */
export function frameLength(bytes: Uint8Array, offset: number): number {
  if (bytes.length - offset < HEADER_BYTES)
    throw new LinkError('truncated', 'A frame ended inside its header.')
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset)
  if (view.getUint16(0, true) !== MAGIC)
    throw new LinkError('corrupt', 'A frame did not start with its mark.')
  const length = view.getUint32(16, true)
  if (length > limits.chunkBytes)
    throw new LinkError('oversized', `A frame announced ${length} bytes, above the limit.`)
  return HEADER_BYTES + length
}

/** Decodes exactly one frame; the payload aliases `bytes`. Throws `LinkError`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > HEADER_BYTES + limits.chunkBytes) {
    throw new LinkError('oversized', `A frame of ${bytes.length} bytes is above the limit.`)
  }
  if (bytes.length < HEADER_BYTES) throw new LinkError('truncated', 'A frame ended inside its header.')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // The checksum comes first: a damaged field must not be taken for another version or a liar.
  if (view.getUint32(20, true) !== checksum(bytes)) {
    throw new LinkError('corrupt', 'The checksum of a frame does not match.')
  }
  if (frameLength(bytes, 0) !== bytes.length)
    throw new LinkError('malformed', 'The length of a frame is wrong.')
  if (bytes[2] !== FRAME_VERSION) {
    throw new LinkError('version', `The peer's frames have version ${bytes[2]}, ours ${FRAME_VERSION}.`)
  }
  const type = bytes[3]
  const flags = bytes[4]
  if (
    type < FrameType.data ||
    type > FrameType.close ||
    flags > KNOWN_FLAGS ||
    bytes[5] | bytes[6] | bytes[7]
  ) {
    throw new LinkError('malformed', 'A frame has an unknown type or flag.')
  }
  return {
    type,
    flags,
    seq: view.getUint32(8, true),
    ack: view.getUint32(12, true),
    payload: bytes.subarray(HEADER_BYTES),
  }
}
