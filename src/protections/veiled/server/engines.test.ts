/** Veiled checkpoints in real engines, unveiled, against forward passes in float64 of the originals. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  CONTEXT,
  PATCHES,
  PICTURE_TOKEN,
  servedDecoders,
  servedEncoders,
  servedLlava,
  someIds,
  somePatches,
  VeiledFolder,
  VOCAB,
} from '../../../../test/support/veil/served.ts'
import type { Vector } from '../../../../test/twins/formulas.ts'
import { readCloud, readerOf } from './checkpoint.ts'
import type { DecoderEngine, DecoderSession, LabelEngine, TopLogits } from './engine.ts'
import { loadEngine } from './load.ts'
import { loadDecoder } from './onnx/decoder.ts'
import { decoderFamily } from './onnx/decoder-graph.ts'

const calm = new AbortController().signal
const opened: { close(): Promise<void> }[] = []
const folders: VeiledFolder[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
  for (const folder of folders.splice(0)) folder.remove()
})

async function load<E>(folder: VeiledFolder): Promise<E> {
  folders.push(folder)
  const engine = await loadEngine(readCloud(folder.cloud), { threads: 1 })
  opened.push(engine)
  return engine as E
}

async function open(engine: DecoderEngine): Promise<DecoderSession> {
  const session = await engine.open()
  opened.push(session)
  return session
}

/** The 40 likeliest tokens are the original's, each with its logit. */
function expectSame({ ends }: VeiledFolder, { ids, logits }: TopLogits, want: Vector): void {
  const order = [...want.keys()].sort((a, b) => want[b] - want[a])
  expect(ends.unveilIds([...ids])).toEqual(order.slice(0, 40))
  logits.forEach((logit, i) => {
    expect(Math.abs(logit - want[order[i]])).toBeLessThan(2e-4)
  })
}

describe.each(servedDecoders)('$name', (served) => {
  test(`group ${served.group}: prompts, single tokens, and going back`, async () => {
    const folder = await VeiledFolder.make(served)
    const engine = await load<DecoderEngine>(folder)
    expect(engine).toMatchObject({ kind: 'decoder', vocab: VOCAB, context: CONTEXT, top: 40 })
    const ids = someIds(100)
    const veiled = Uint32Array.from(folder.ends.veilIds(ids))
    const want = folder.logits(ids)
    const session = await open(engine)
    // Longer than a run, and than the room that a text begins with.
    expectSame(folder, await session.next(0, veiled.subarray(0, 90), calm), want[89])
    for (let at = 90; at < 100; at++)
      expectSame(folder, await session.next(at, veiled.subarray(at, at + 1), calm), want[at])
    expectSame(folder, await session.next(40, veiled.subarray(40, 45), calm), want[44])
  })
})

test('texts of several owners are read together, and each gets its own answer', async () => {
  const folder = await VeiledFolder.make(servedDecoders[0])
  const engine = await load<DecoderEngine>(folder)
  const texts = await Promise.all(
    [5, 70, 12].map(async (length, i) => ({ session: await open(engine), ids: someIds(length + 6, i) })),
  )
  await Promise.all(
    texts.map(async ({ session, ids }) => {
      const veiled = Uint32Array.from(folder.ends.veilIds(ids))
      const want = folder.logits(ids)
      const prompt = ids.length - 6
      expectSame(folder, await session.next(0, veiled.subarray(0, prompt), calm), want[prompt - 1])
      for (let at = prompt; at < ids.length; at++)
        expectSame(folder, await session.next(at, veiled.subarray(at, at + 1), calm), want[at])
    }),
  )
})

test('a text for which there is no room ends alone, and not those that are read with it', async () => {
  const folder = await VeiledFolder.make(servedDecoders[0])
  folders.push(folder)
  const cloud = readCloud(folder.cloud)
  const family = decoderFamily(cloud.config.model_type)!
  const { layers, kvHeads, width } = family.sizes({ read: readerOf(cloud) })
  // Two texts of 64 tokens.
  const engine = await loadDecoder(cloud, family, 1, {
    cacheBytes: 8 * layers * 2 * kvHeads * width * 64,
    texts: 1,
  })
  expect(engine.context).toBe(128)
  opened.push(engine)
  const ids = someIds(65)
  const veiled = Uint32Array.from(folder.ends.veilIds(ids))
  const [short, long] = [await open(engine), await open(engine)]
  await Promise.all([short.next(0, veiled.subarray(0, 10), calm), long.next(0, veiled.subarray(0, 64), calm)])
  const [answer, refusal] = await Promise.allSettled([
    short.next(10, veiled.subarray(10, 11), calm),
    long.next(64, veiled.subarray(64, 65), calm),
  ])
  expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'too-many-sessions' } })
  if (answer.status === 'rejected') throw answer.reason
  expectSame(folder, answer.value, folder.logits(ids)[10])
})

test('who gives up is not computed for, and goes on where it was', async () => {
  const folder = await VeiledFolder.make(servedDecoders[4])
  const session = await open(await load<DecoderEngine>(folder))
  const ids = someIds(80)
  const veiled = Uint32Array.from(folder.ends.veilIds(ids))
  await session.next(0, veiled.subarray(0, 3), calm)
  const stopped = new AbortController()
  const answer = session.next(3, veiled.subarray(3), stopped.signal)
  stopped.abort(new Error('enough'))
  await expect(answer).rejects.toThrow('enough')
  expectSame(folder, await session.next(3, veiled.subarray(3, 5), calm), folder.logits(ids)[4])
})

test('llava: a picture and a text on it, and another picture in its place', async () => {
  const folder = await VeiledFolder.make(servedLlava)
  const engine = await load<DecoderEngine>(folder)
  expect(engine).toMatchObject({ kind: 'decoder', pictures: { patches: PATCHES, pixels: 48 } })
  const session = await open(engine)
  // More than a run reads at once, with the picture across its border.
  const [before, after] = [someIds(60), someIds(9, 4)]
  const ids = [...before, ...new Array<number>(PATCHES).fill(PICTURE_TOKEN), ...after]
  const veiled = Uint32Array.from(folder.ends.veilIds(ids))
  for (const seed of [1, 2]) {
    const patches = somePatches(seed)
    const mixed = folder.ends.veilPatches(patches).flatMap((patch) => [...patch])
    const want = folder.answers(before, patches, after)
    await session.look!(Float32Array.from(mixed), calm)
    // A text may end within the picture, and go on there.
    await session.next(0, veiled.subarray(0, 70), calm)
    expectSame(folder, await session.next(70, veiled.subarray(70, 80), calm), want[79])
    for (let at = 80; at < ids.length; at++)
      expectSame(folder, await session.next(at, veiled.subarray(at, at + 1), calm), want[at])
  }
  const more = veiled.subarray(60, 60 + PATCHES)
  await expect(session.next(0, Uint32Array.from([...more, more[0]]), calm)).rejects.toMatchObject({
    code: 'malformed',
  })
})

describe.each(servedEncoders)('$name', (served) => {
  test(`group ${served.group}: labels`, async () => {
    const folder = await VeiledFolder.make(served)
    const engine = await load<LabelEngine>(folder)
    expect(engine).toMatchObject({ kind: 'labels', vocab: VOCAB, labels: 3, types: 2 })
    for (const length of [1, 30]) {
      const ids = someIds(length).map((id) => Math.max(id, 2))
      const types = ids.map((_, i) => (served.name === 'bert' && i > 9 ? 1 : 0))
      const veiled = Uint32Array.from(folder.ends.veilIds(ids))
      const logits = folder.ends.unveilLabels(await engine.classify(veiled, Uint8Array.from(types), calm))
      const want = folder.labels(ids, types)
      logits.forEach((logit, i) => {
        expect(Math.abs(logit - want[i])).toBeLessThan(2e-4)
      })
    }
  })
})
