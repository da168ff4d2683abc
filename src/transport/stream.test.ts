import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFrame } from './frame.ts'
import { limits } from './limits.ts'
import { Incoming, Outgoing } from './stream.ts'

const lengths = fc.oneof(fc.nat(100), fc.integer({ min: limits.chunkBytes - 2, max: 3 * limits.chunkBytes }))

test('memory of acknowledged frames is used again, and no frame changes before its acknowledgement', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(lengths, fc.nat(9)), { minLength: 1, maxLength: 30 }), (turns) => {
      const [out, into] = [new Outgoing(), new Incoming()]
      const memory = new Set<ArrayBufferLike>()
      const made = new Map<number, Uint8Array>()
      let large = 0
      for (const [i, [length, kept]] of turns.entries()) {
        const message = new Uint8Array(length).fill(i + 1)
        out.push(message, false, 0)
        // The caller's bytes are its own again.
        const sent = message.slice()
        message.fill(0)
        for (const frame of out.batchAfter(0).frames) {
          const { seq, payload } = decodeFrame(frame)
          const before = made.get(seq)
          if (before) expect(Buffer.compare(frame, before)).toBe(0)
          else {
            made.set(seq, frame.slice())
            if (payload.length >= limits.chunkBytes / 2) large++
            memory.add(frame.buffer)
            const whole = into.accept(decodeFrame(frame.slice()))
            if (whole) expect(Buffer.compare(whole.message, sent)).toBe(0)
          }
        }
        out.acknowledge(Math.max(0, out.last - kept))
      }
      // A few at a time, and what small messages take.
      if (large > 60) expect(memory.size).toBeLessThan(large)
    }),
    { numRuns: 60 },
  )
})

test('a message of one frame is handed on without a copy, unless its memory holds more', () => {
  const out = new Outgoing()
  out.push(Uint8Array.of(1, 2, 3), false, 0)
  out.push(Uint8Array.of(4, 5), false, 0)
  const [own, slice] = out.batchAfter(0).frames
  const pooled = new Uint8Array(100)
  pooled.set(slice, 7)
  const into = new Incoming()
  const frame = decodeFrame(own)
  expect(into.accept(frame)?.message.buffer).toBe(own.buffer)
  const copied = into.accept(decodeFrame(pooled.subarray(7, 7 + slice.length)))?.message
  expect(copied).toEqual(Uint8Array.of(4, 5))
  expect(copied?.byteOffset).toBe(0)
})

test('a sender waits when its window is full, however wide it was made', async () => {
  const message = new Uint8Array(limits.chunkBytes)
  for (const window of [limits.windowBytes, 3 * limits.windowBytes]) {
    const out = new Outgoing()
    out.window = window
    while (out.bytes <= window) {
      await out.room()
      out.push(message, false, 0)
    }
    let waited = true
    const room = out.room().then(() => {
      waited = false
    })
    await Promise.resolve()
    expect(waited).toBe(true)
    out.acknowledge(1)
    await room
    expect(waited).toBe(false)
    // Those who do not wait are stopped, too.
    expect(() => {
      while (out.bytes <= window + 2 * limits.messageBytes) out.push(message, false, 0)
    }).toThrow(/wait to be sent/)
  }
})
