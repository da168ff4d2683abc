import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../../transport/limits.ts'
import { decodeMessage, encodePassPart } from '../agreement/material-socket.ts'
import { CHUNK_BYTES, ChunkWriter } from './material-stream.ts'

const ID = '00112233445566778899aabbccddeeff'
const lengths = fc.oneof(fc.nat(300), fc.integer({ min: CHUNK_BYTES - 2, max: 3 * CHUNK_BYTES }))

test('chunks are full but for the last, and together what was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lengths, { maxLength: 12 }), async (sizes) => {
      const written = sizes.map((n, i) => Uint8Array.from({ length: n }, (_, at) => at * 31 + i))
      const chunks: Uint8Array[] = []
      const writer = new ChunkWriter(async (chunk) => {
        chunks.push(chunk.slice())
      })
      for (const bytes of written) await writer.write(bytes)
      await writer.flush()
      await writer.flush()
      expect(Buffer.compare(Buffer.concat(chunks), Buffer.concat(written))).toBe(0)
      for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBe(CHUNK_BYTES)
      expect(chunks.at(-1)?.length).not.toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('a chunk with its header is one frame, made in the memory that is given, and stays aligned', () => {
  const chunk = new Uint8Array(CHUNK_BYTES).fill(7)
  const scratch = new Uint8Array(limits.chunkBytes).fill(0)
  const message = encodePassPart('chunk', ID, 3, chunk, scratch)
  expect(message.buffer).toBe(scratch.buffer)
  expect(message).toEqual(encodePassPart('chunk', ID, 3, chunk))
  const decoded = decodeMessage(message)
  expect(decoded).toEqual({ kind: 'chunk', sessionId: ID, pass: 3, bytes: chunk })
  expect(decoded.kind === 'chunk' && decoded.bytes.byteOffset % 8).toBe(0)
  const large = new Uint8Array(limits.chunkBytes)
  expect(encodePassPart('chunk', ID, 3, large, scratch)).toEqual(encodePassPart('chunk', ID, 3, large))
})
