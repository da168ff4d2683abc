import { expect, test } from 'vitest'
import { undisturbed } from '../../session/turn.ts'
import { SLAB_BYTES, Slabs } from './slabs.ts'

/** As the main thread has them, and gives them back when it likes. */
function mainThread() {
  const held: { pass: number; bytes: Uint8Array; back(): void; refuse(): void }[] = []
  const slabs = new Slabs(
    (pass, slab) =>
      new Promise((resolve, reject) => {
        const back = () => resolve(slab.buffer)
        held.push({ pass, bytes: slab, back, refuse: () => reject(new Error('no more')) })
      }),
  )
  return { held, slabs }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('slabs are whole chunks, the last one what is left', async () => {
  const { held, slabs } = mainThread()
  slabs.begin(1)
  const bytes = Uint8Array.from({ length: SLAB_BYTES + 5 }, (_, i) => i % 251)
  await slabs.write(bytes.subarray(0, 7), undisturbed)
  await slabs.write(bytes.subarray(7), undisturbed)
  const ended = slabs.end(undisturbed)
  expect(held.map((slab) => slab.bytes.length)).toEqual([SLAB_BYTES, 5])
  expect(Buffer.compare(Buffer.concat(held.map((slab) => slab.bytes)), bytes)).toBe(0)
  for (const { back } of held) back()
  await ended
})

test('few are under way, and their memory is used again', async () => {
  const { held, slabs } = mainThread()
  slabs.begin(1)
  let written = 0
  const writing = (async () => {
    for (; written < 20; written++) await slabs.write(new Uint8Array(SLAB_BYTES), undisturbed)
  })()
  await settle()
  expect(written).toBe(4)
  expect(held.length).toBe(5)
  const memory = new Set<ArrayBufferLike>()
  for (let n = 0; n < 20; n++) {
    await expect.poll(() => held.length).toBeGreaterThan(n)
    memory.add(held[n].bytes.buffer)
    held[n].back()
  }
  await writing
  expect(memory.size).toBeLessThanOrEqual(6)
})

test('a pass that is refused ends at its next piece, and is nothing to the pass after it', async () => {
  const { held, slabs } = mainThread()
  slabs.begin(1)
  await slabs.write(new Uint8Array(SLAB_BYTES + 9), undisturbed)
  held[0].refuse()
  await settle()
  await expect(slabs.write(new Uint8Array(1), undisturbed)).rejects.toThrow('no more')
  slabs.begin(2)
  await slabs.write(Uint8Array.of(4), undisturbed)
  const ended = slabs.end(undisturbed)
  expect([held[1].pass, ...held[1].bytes]).toEqual([2, 4])
  held[1].back()
  await ended
})
