/** What a bench adds around the engines of server and dealer: nothing that they do changes, but their moments are known. */

import type { DealerEngine, ServerEngine } from '../src/protections/shared/agreement/parties.ts'
import { decodePass } from '../src/protections/shared/session/pass-messages.ts'
import type { MaterialSource } from '../src/protections/shared/session/server-session.ts'
import type { Link } from '../src/transport/link.ts'

/** Things that happen once, and those who wait for them. */
export class Moments {
  readonly #happened = new Set<string>()
  readonly #waiting = new Map<string, () => void>()

  happen(what: string): void {
    this.#happened.add(what)
    this.#waiting.get(what)?.()
  }

  until(what: string): Promise<void> {
    if (this.#happened.has(what)) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.set(what, resolve))
  }
}

/** Dealing, with the seconds that it took and the bytes that it made. */
export interface Dealt {
  passes: number
  seconds: number
  bytes: number
}

/** Counts what a dealer deals; time in which the material socket was full is not counted. */
export function watchDealer(engine: DealerEngine, dealt: Dealt): DealerEngine {
  return {
    registerModel: (hash, header, tensors) => engine.registerModel(hash, header, tensors),
    close: () => engine.close(),
    open(hash, seed) {
      const passes = engine.open(hash, seed)
      return {
        close: () => passes.close(),
        costOf: (request) => passes.costOf(request),
        async deal(request, sink, turn) {
          let waited = 0
          const started = performance.now()
          await passes.deal(
            request,
            async (chunk) => {
              const from = performance.now()
              dealt.bytes += chunk.length
              await sink(chunk)
              waited += performance.now() - from
            },
            turn,
          )
          dealt.passes++
          dealt.seconds += (performance.now() - started - waited) / 1000
        },
      }
    },
  }
}

/** A server's engine whose material can be taken in before the pass begins to need it. */
export class WatchedServer implements ServerEngine {
  readonly #engine: ServerEngine
  readonly #begun = new Moments()
  #material?: Prefetched

  constructor(engine: ServerEngine) {
    this.#engine = engine
  }

  models: ServerEngine['models'] = () => this.#engine.models()
  registration: ServerEngine['registration'] = (hash) => this.#engine.registration(hash)
  fSeed: ServerEngine['fSeed'] = (hash) => this.#engine.fSeed(hash)

  open(hash: string, link: Link, material: MaterialSource, peer: string): Promise<void> {
    this.#material = new Prefetched(material)
    return this.#engine.open(hash, this.#watch(link), this.#material, peer)
  }

  /** Resolves once all of a pass's material is here and, with `begun`, what the owner sent ahead. */
  async prefetch(pass: number, begun: boolean): Promise<void> {
    await this.#material?.fetch(pass)
    // A fetch link delivers what was sent ahead together with the first request.
    if (begun) await this.#begun.until(`begin ${pass}`)
  }

  #watch(link: Link): Link {
    const begun = this.#begun
    return {
      kind: link.kind,
      get traffic() {
        return link.traffic
      },
      send: (message, reply) => link.send(message, reply),
      close: (reason) => link.close(reason),
      async receive() {
        const bytes = await link.receive()
        const message = decodePass(bytes)
        if (message.kind === 'begin') begun.happen(`begin ${message.pass}`)
        return bytes
      },
    }
  }
}

/** Memory that held material is joined in: gigabytes in small chunks would give the garbage collector much to look at. */
const SLAB_BYTES = 1 << 24

/** Material, passed on as it is asked for, or held back for a pass that takes it in as a whole. */
class Prefetched implements MaterialSource {
  readonly #inner: MaterialSource
  /** Filled anew for every pass that is fetched, once the one before is over: to clear gigabytes is no server's work. */
  readonly #slabs: Uint8Array[] = []
  /** What is left of each pass, the next chunk last. */
  readonly #held = new Map<number, Uint8Array[]>()

  constructor(inner: MaterialSource) {
    this.#inner = inner
  }

  async fetch(pass: number): Promise<void> {
    if ([...this.#held.values()].some((rest) => rest.length > 0))
      throw new RangeError('The pass before is not over.')
    this.#held.clear()
    const slabs: Uint8Array[] = []
    let used = SLAB_BYTES
    for (;;) {
      // The source rejects after the last chunk.
      const chunk = await this.#inner.next(pass).catch(() => undefined)
      if (!chunk) break
      for (let at = 0; at < chunk.length; ) {
        if (used === SLAB_BYTES) {
          if (slabs.length === this.#slabs.length) this.#slabs.push(new Uint8Array(SLAB_BYTES))
          slabs.push(this.#slabs[slabs.length])
          used = 0
        }
        const part = chunk.subarray(at, at + SLAB_BYTES - used)
        slabs[slabs.length - 1].set(part, used)
        used += part.length
        at += part.length
      }
    }
    const last = slabs.pop()
    if (last) slabs.push(last.subarray(0, used))
    this.#held.set(pass, slabs.reverse())
  }

  next(pass: number): Promise<Uint8Array> {
    const chunk = this.#held.get(pass)?.pop()
    return chunk ? Promise.resolve(chunk) : this.#inner.next(pass)
  }

  discard(pass: number): void {
    this.#held.delete(pass)
    this.#inner.discard(pass)
  }
}
