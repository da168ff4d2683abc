/** A home network in front of a link: really delays every message by half the round trip and its time on the line. */
import { type LinkEnd, toLinkError } from './errors.ts'
import { HEADER_BYTES } from './frame.ts'
import type { Link } from './link.ts'
import { Queue } from './queue.ts'

/** A network as it is emulated. */
export interface Network {
  /** Round trip in milliseconds. */
  rtt: number
  /** Towards this end, in Mbit/s; 0 or left out is unlimited. */
  down?: number
  /** Away from this end, in Mbit/s. */
  up?: number
}

export class EmulatedLink implements Link {
  readonly #inner: Link
  readonly #network: Network
  readonly #inbox = new Queue()
  #upFree = 0
  #downFree = 0
  #sending: Promise<void> = Promise.resolve()
  #reading = false

  constructor(inner: Link, network: Network) {
    this.#inner = inner
    this.#network = network
  }

  get kind() {
    return this.#inner.kind
  }

  get traffic() {
    return this.#inner.traffic
  }

  async send(message: Uint8Array, reply: boolean): Promise<void> {
    const now = performance.now()
    this.#upFree = Math.max(now, this.#upFree) + lineTime(message.length, this.#network.up)
    const at = this.#upFree + this.#network.rtt / 2
    const copy = message.slice()
    this.#sending = this.#sending.then(async () => {
      await sleepUntil(at)
      await this.#inner.send(copy, reply)
    })
    // A failure shows at the next receive or send, as on a real network.
    this.#sending.catch((error) => this.#inbox.end(toLinkError(error)))
    const queued = this.#upFree - now
    if (queued > 200) await sleepUntil(now + queued - 200)
  }

  receive(): Promise<Uint8Array> {
    if (!this.#reading) void this.#read()
    return this.#inbox.next()
  }

  async close(reason?: string, code?: LinkEnd): Promise<void> {
    await this.#sending.catch(() => undefined)
    await this.#inner.close(reason, code)
  }

  /** Reads ahead, so that the clock of a message starts when it arrives and not when somebody asks for it. */
  async #read(): Promise<void> {
    this.#reading = true
    try {
      do {
        const message = await this.#inner.receive()
        this.#downFree =
          Math.max(performance.now(), this.#downFree) + lineTime(message.length, this.#network.down)
        void sleepUntil(this.#downFree + this.#network.rtt / 2).then(() => this.#inbox.push(message))
        // A fetch link polls while somebody receives: only do so on demand.
      } while (this.#inner.kind !== 'fetch')
    } catch (error) {
      this.#inbox.end(toLinkError(error))
    }
    this.#reading = false
  }
}

/** A link as it would be through such a network. */
export const emulate = (link: Link, network: Network): Link => new EmulatedLink(link, network)

const lineTime = (bytes: number, mbits?: number): number =>
  mbits ? ((bytes + HEADER_BYTES) * 8) / (mbits * 1000) : 0

/** Timers fire late by a millisecond or more: sleep most of the time, then yield until the moment has come. */
async function sleepUntil(time: number): Promise<void> {
  const remaining = time - performance.now()
  if (remaining > 2) await new Promise((resolve) => setTimeout(resolve, remaining - 2))
  while (performance.now() < time) await yieldOnce()
}

function yieldOnce(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
}
