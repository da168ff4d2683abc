import { crc32 as zlibCrc32 } from 'node:zlib'
import { concatBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32Portable } from './crc32.ts'
import { LinkError } from './errors.ts'
import { decodeFrame, encodeFrame, FrameType, HEADER_BYTES } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { limits } from './limits.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const frames = fc.record({
  type: fc.integer({ min: 1, max: 6 }),
  flags: fc.integer({ min: 0, max: 15 }),
  seq: u32,
  ack: u32,
  payload: fc.uint8Array({ maxLength: 300 }),
})

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof LinkError) return error.code
    throw error
  }
  return 'accepted'
}

describe('crc32', () => {
  test('check value of the standard', () => {
    expect(crc32Portable(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
  })
  test('equals zlib, also when continued', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (a, b) => {
        expect(crc32Portable(b, crc32Portable(a))).toBe(zlibCrc32(concatBytes(a, b)))
      }),
    )
  })
})

/** The frames of a body, which comes in pieces of `size`. */
function splitFrames(body: Uint8Array, size = Math.max(1, body.length)): Uint8Array[] {
  const reader = new FrameReader()
  const frames: Uint8Array[] = []
  for (let at = 0; at < body.length; at += size) frames.push(...reader.cut(body.subarray(at, at + size)))
  reader.end()
  return frames
}

describe('frames', () => {
  test('round trip', () => {
    fc.assert(fc.property(frames, (frame) => void expect(decodeFrame(encodeFrame(frame))).toEqual(frame)))
  })

  test('a body of frames is cut where it was joined', () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 5 }), fc.integer({ min: 1, max: 99 }), (list, size) => {
        const encoded = list.map((frame) => encodeFrame(frame))
        const cut = splitFrames(concatBytes(...encoded), size)
        expect(cut).toEqual(encoded)
        for (const frame of cut) expect(frame.buffer.byteLength).toBe(frame.length)
      }),
    )
  })

  test('every flipped bit is noticed', () => {
    const bytes = encodeFrame({
      type: FrameType.data,
      flags: 1,
      seq: 7,
      ack: 3,
      payload: new Uint8Array(40).fill(9),
    })
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = bytes.slice()
      bad[bit >> 3] ^= 1 << (bit & 7)
      expect(codeOf(() => decodeFrame(bad))).toBe('corrupt')
    }
  })

  test('every truncation is noticed', () => {
    const bytes = encodeFrame({ type: FrameType.data, flags: 1, seq: 7, ack: 3, payload: new Uint8Array(40) })
    for (let length = 0; length < bytes.length; length++) {
      expect(['truncated', 'corrupt']).toContain(codeOf(() => decodeFrame(bytes.slice(0, length))))
      if (length > 0) expect(codeOf(() => splitFrames(bytes.slice(0, length)))).toBe('truncated')
    }
  })

  test('oversized frames are refused at both ends', () => {
    const payload = new Uint8Array(limits.chunkBytes + 1)
    expect(codeOf(() => encodeFrame({ type: 1, flags: 0, seq: 1, ack: 0, payload }))).toBe('oversized')
    expect(codeOf(() => decodeFrame(new Uint8Array(HEADER_BYTES + limits.chunkBytes + 1)))).toBe('oversized')
    const lying = encodeFrame({ type: 1, flags: 0, seq: 1, ack: 0, payload: new Uint8Array(4) })
    new DataView(lying.buffer).setUint32(16, 0xfffffff0, true)
    expect(codeOf(() => splitFrames(lying))).toBe('oversized')
  })

  test('another version, type or flag is refused with its own code', () => {
    const remake = (offset: number, value: number) => {
      const bytes = encodeFrame({ type: 1, flags: 0, seq: 1, ack: 0, payload: new Uint8Array(0) })
      bytes[offset] = value
      new DataView(bytes.buffer).setUint32(20, zlibCrc32(bytes.subarray(0, 20)), true)
      return codeOf(() => decodeFrame(bytes))
    }
    expect(remake(2, 2)).toBe('version')
    expect(remake(3, 99)).toBe('malformed')
    expect(remake(4, 128)).toBe('malformed')
    expect(remake(6, 1)).toBe('malformed')
  })

  test('random bytes never do worse than a typed error', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => void expect(codeOf(() => decodeFrame(bytes))).not.toBe('accepted'),
      ),
    )
  })
})
