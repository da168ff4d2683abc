/** Stock llama.cpp on veiled GGUF files, unveiled, against forward passes in float64 of the originals. */
import { afterEach, expect, test } from 'vitest'
import { servedDecoders, someIds, VeiledFolder } from '../../../../test/support/veil/served.ts'
import { readCloud } from './checkpoint.ts'
import type { DecoderEngine } from './engine.ts'
import { loadEngine } from './load.ts'

const isInstalled = await import('node-llama-cpp' as string).then(
  () => true,
  () => false,
)
const why = isInstalled ? '' : ' (skipped: the optional package node-llama-cpp is not installed)'
const families = servedDecoders.filter(({ name }) => ['llama', 'mixtral', 'gpt2'].includes(name))

const calm = new AbortController().signal
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

test.skipIf(!isInstalled).each(families)(`$name on llama.cpp${why}`, async (served) => {
  const folder = await VeiledFolder.make(served, true)
  opened.push({ close: async () => folder.remove() })
  const engine = (await loadEngine(readCloud(folder.cloud), { name: 'llama', threads: 1 })) as DecoderEngine
  opened.push(engine)
  const session = await engine.open()
  opened.push(session)
  const ids = someIds(80)
  const veiled = Uint32Array.from(folder.ends.veilIds(ids))
  const want = folder.logits(ids)
  const expectSame = async (base: number, end: number) => {
    const answer = await session.next(base, veiled.subarray(base, end), calm)
    const row = want[end - 1]
    const order = [...row.keys()].sort((a, b) => row[b] - row[a])
    // What lies closer together than float32 tells apart may change places.
    expect(folder.ends.unveilIds([...answer.ids])[0]).toBe(order[0])
    folder.ends.unveilIds([...answer.ids]).forEach((id, i) => {
      expect(Math.abs(answer.logits[i] - row[id])).toBeLessThan(2e-3)
    })
  }
  await expectSame(0, 70)
  await expectSame(70, 71)
  await expectSame(30, 33)
})

test.skipIf(isInstalled)('without the package it says what to install', async () => {
  const folder = await VeiledFolder.make(servedDecoders[0], true)
  opened.push({ close: async () => folder.remove() })
  await expect(loadEngine(readCloud(folder.cloud), { name: 'llama' })).rejects.toThrow(/npm install/)
})
