/** Decoders on ONNX Runtime: texts that are written at once are read in one run. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { SessionError } from '../../../../handshake/errors.ts'
import { type Checkpoint, type Cloud, readCheckpoint } from '../checkpoint.ts'
import { type DecoderEngine, type DecoderSession, TOP, type TopLogits } from '../engine.ts'
import { nextBatch, type Waiting } from './batches.ts'
import { Cache, tokenBytes } from './cache.ts'
import type { DecoderFamily, DecoderSizes } from './decoder-family.ts'
import { decoderGraph } from './decoder-graph.ts'
import { sessionOptions } from './session.ts'
import { type PictureRows, ShownPicture } from './shown-picture.ts'

/** Tokens of a prompt in one run: between two, others get their turn, and who has left is noticed. */
const CHUNK = 64

/** Bytes of all keys and values of texts, unless said otherwise, and how many texts there is always room for. */
const CACHE_BYTES = 1 << 30
const TEXTS = 8

/** How much memory there is for texts. */
export interface CacheRoom {
  readonly cacheBytes?: number
  /** No text takes more than its part of the memory, of so many: one that is long keeps nobody out. */
  readonly texts?: number
}

interface Text {
  place?: number
  picture?: ShownPicture
  isClosed?: true
}

interface Request {
  readonly text: Text
  base: number
  ids: Uint32Array
  /** Of each id, the row of the text's picture that stands in its place, or -1; of a text with a picture. */
  shown?: Int32Array
  readonly signal: AbortSignal
  resolve(answer: TopLogits): void
  reject(reason: unknown): void
}

/** Builds the graph and loads it. Rejects with `EngineError` or `HfConfigError` for what it cannot run. */
export async function loadDecoder(
  cloud: Cloud,
  family: DecoderFamily,
  threads: number,
  room: CacheRoom = {},
): Promise<DecoderEngine> {
  return openDecoder(family, readCheckpoint(cloud), threads, room)
}

/** Builds the graph of a checkpoint that has been read, and loads it as {@link loadDecoder} does; `pictures` are of one that reads pictures with its texts. */
export async function openDecoder(
  family: DecoderFamily,
  checkpoint: Checkpoint,
  threads: number,
  { cacheBytes = CACHE_BYTES, texts = TEXTS, pictures }: CacheRoom & { pictures?: PictureRows } = {},
): Promise<DecoderEngine> {
  const top = Math.min(TOP, family.sizes(checkpoint).vocab)
  const session = await InferenceSession.create(
    decoderGraph(family, checkpoint, top, pictures?.dim),
    sessionOptions(threads),
  )
  const sizes = family.sizes(checkpoint)
  const context = Math.min(sizes.context, Math.floor(cacheBytes / texts / tokenBytes(sizes)))
  return new OnnxDecoder(session, { ...sizes, context, top, cacheBytes, pictures })
}

class OnnxDecoder implements DecoderEngine {
  readonly kind = 'decoder'
  readonly name = 'ONNX Runtime on the processor'
  readonly vocab: number
  readonly context: number
  readonly top: number
  readonly pictures?: PictureRows
  readonly #session: InferenceSession
  readonly #cache: Cache
  readonly #kvHeads: number
  readonly #width: number
  readonly #layers: number
  #waiting: Request[] = []
  #isRunning = false
  #wasSingle = false

  constructor(
    session: InferenceSession,
    sizes: DecoderSizes & { top: number; cacheBytes: number; pictures?: PictureRows },
  ) {
    this.vocab = sizes.vocab
    this.context = sizes.context
    this.top = sizes.top
    this.pictures = sizes.pictures
    this.#session = session
    this.#kvHeads = sizes.kvHeads
    this.#width = sizes.width
    this.#layers = sizes.layers
    this.#cache = new Cache(sizes, sizes.cacheBytes)
  }

  async open(): Promise<DecoderSession> {
    // A place is taken between two runs: a run that is under way writes into the arrays that there are.
    const text: Text = {}
    const { pictures } = this
    return {
      next: (base, ids, signal) =>
        new Promise((resolve, reject) => {
          const shown = text.picture?.places(base, ids)
          this.#waiting.push({ text, base, ids, shown, signal, resolve, reject })
          void this.#work()
        }),
      look:
        pictures &&
        (async (picture, signal) => {
          signal.throwIfAborted()
          text.picture = new ShownPicture(pictures, await pictures.rows(picture))
        }),
      close: async () => {
        if (text.place !== undefined) this.#cache.release(text.place)
        text.isClosed = true
      },
    }
  }

  async close(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(new SessionError('expired', 'The engine stops.'))
    while (this.#isRunning) await new Promise((resolve) => setTimeout(resolve, 5))
    await this.#session.release()
    await this.pictures?.close()
  }

  async #work(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    // Those that ask in this turn of the event loop are read together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = nextBatch(this.#places(), this.#wasSingle).map(({ request }) => request)
      if (batch.length === 0) break
      this.#wasSingle = batch[0].ids.length === 1
      try {
        await this.#run(batch)
      } catch (error) {
        for (const request of batch) this.#leave(request).reject(error)
      }
    }
    this.#isRunning = false
  }

  /** Those that wait, each with a place; who has left, or gets none, waits no longer. */
  #places(): (Waiting & { request: Request })[] {
    return this.#waiting.flatMap((request) => {
      try {
        request.signal.throwIfAborted()
        if (request.text.isClosed) throw new SessionError('expired', 'The text was closed.')
        request.text.place ??= this.#cache.take()
        // Whose text has no room left goes alone: those that are read with it have asked for nothing.
        this.#cache.reserve(request.text.place, request.base + Math.min(CHUNK, request.ids.length))
        return [{ request, place: request.text.place, tokens: request.ids.length }]
      } catch (reason) {
        this.#leave(request).reject(reason)
        return []
      }
    })
  }

  #leave(request: Request): Request {
    this.#waiting = this.#waiting.filter((other) => other !== request)
    return request
  }

  /** One run; requests that are through are answered and leave the queue. */
  async #run(batch: readonly Request[]): Promise<void> {
    const [first] = batch
    const count = Math.min(CHUNK, first.ids.length)
    const lengths = batch.map(({ base }) => base + count)
    const longest = Math.max(...lengths)
    const shape = [batch.length, count]
    const ids = BigInt64Array.from(
      batch.flatMap((request) => [...request.ids.subarray(0, count)]),
      BigInt,
    )
    const feeds: Record<string, Tensor> = {
      ids: new Tensor('int64', ids, shape),
      lengths: new Tensor(
        'int32',
        Int32Array.from(lengths, (n) => n - 1),
        [batch.length],
      ),
      length: new Tensor('int32', Int32Array.of(longest), []),
    }
    if (this.#session.inputNames.includes('positions')) {
      const positions = batch.flatMap(({ base }) => Array.from({ length: count }, (_, i) => BigInt(base + i)))
      feeds.positions = new Tensor('int64', BigInt64Array.from(positions), shape)
    }
    if (this.pictures) Object.assign(feeds, picturesOf(batch, count, this.pictures.dim))
    const fetches: Record<string, Tensor | null> = { logits: null, tokens: null }
    for (let layer = 0; layer < this.#layers; layer++)
      for (const [which, name] of [`key${layer}`, `value${layer}`].entries()) {
        const view = this.#cache.view(layer, which as 0 | 1, first.text.place!, batch.length)
        const cache = new Tensor('float32', view, [
          batch.length,
          this.#kvHeads,
          this.#cache.room,
          this.#width,
        ])
        // Read and written in place.
        feeds[name] = fetches[`${name}_out`] = cache
      }
    const { logits, tokens } = await this.#session.run(feeds, fetches)
    batch.forEach((request, i) => {
      if (request.ids.length > count) {
        request.ids = request.ids.subarray(count)
        request.shown = request.shown?.subarray(count)
        request.base += count
        return
      }
      const [from, to] = [i * this.top, (i + 1) * this.top]
      this.#leave(request).resolve({
        ids: Uint32Array.from((tokens.data as BigInt64Array).subarray(from, to), Number),
        logits: (logits.data as Float32Array).slice(from, to),
      })
    })
  }
}

/** The rows that stand in place of tokens: `pictures`, and `shown`, which says where. */
function picturesOf(batch: readonly Request[], count: number, dim: number): Record<string, Tensor> {
  const rows = new Float32Array(batch.length * count * dim)
  const mask = new Uint8Array(batch.length * count)
  batch.forEach(({ text, shown }, b) => {
    for (let i = 0; i < count; i++) {
      const row = shown?.[i] ?? -1
      if (row < 0 || !text.picture) continue
      rows.set(text.picture.row(row), (b * count + i) * dim)
      mask[b * count + i] = 1
    }
  })
  return {
    pictures: new Tensor('float32', rows, [batch.length, count, dim]),
    shown: new Tensor('bool', mask, [batch.length, count, 1]),
  }
}
