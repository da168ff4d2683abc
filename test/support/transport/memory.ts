/** Links inside one process, for tests and for parties that run together. */
import { BaseCarrier } from '../../../src/transport/carrier.ts'
import { LinkError } from '../../../src/transport/errors.ts'
import { HEADER_BYTES } from '../../../src/transport/frame.ts'
import { limits } from '../../../src/transport/limits.ts'
import { type Link, newTraffic } from '../../../src/transport/link.ts'
import { Queue } from '../../../src/transport/queue.ts'

class MemoryLink implements Link {
  readonly kind = 'memory' as const
  readonly traffic = newTraffic()
  readonly inbox = new Queue()
  peer!: MemoryLink
  #ended: LinkError | undefined

  async send(message: Uint8Array, _reply: boolean): Promise<void> {
    if (this.#ended) throw this.#ended
    if (message.length > limits.messageBytes) {
      throw new LinkError('oversized', `A message of ${message.length} bytes is above the limit.`)
    }
    const bytes = framedBytes(message.length)
    const { traffic, peer } = this
    traffic.sentMessages++
    traffic.sentPayloadBytes += message.length
    traffic.sentBytes += bytes
    peer.traffic.receivedMessages++
    peer.traffic.receivedPayloadBytes += message.length
    peer.traffic.receivedBytes += bytes
    peer.inbox.push(message.slice())
    // Lets the peer run, as a socket would.
    await Promise.resolve()
  }

  receive(): Promise<Uint8Array> {
    return this.inbox.next()
  }

  async close(reason = 'The conversation ended.', because?: string): Promise<void> {
    this.#fail(reason)
    this.peer.#fail(reason, because)
  }

  #fail(reason: string, because?: string): void {
    this.#ended ??= new LinkError('closed', reason, { because })
    this.inbox.end(this.#ended)
  }
}

/** What a message costs on a socket, chunk headers included. */
const framedBytes = (length: number): number =>
  length + HEADER_BYTES * Math.max(1, Math.ceil(length / limits.chunkBytes))

/** Two ends that hand messages to each other; traffic is counted as a socket's frames would be. */
export function memoryPair(): [Link, Link] {
  const a = new MemoryLink()
  const b = new MemoryLink()
  a.peer = b
  b.peer = a
  return [a, b]
}

class MemoryCarrier extends BaseCarrier {
  readonly buffered = 0
  peer!: MemoryCarrier
  #isOpen = true

  send(frame: Uint8Array): void {
    if (!this.#isOpen) throw new LinkError('lost', 'The in-process connection is closed.')
    const copy = frame.slice()
    queueMicrotask(() => this.peer.deliver(copy))
  }

  close(): void {
    for (const end of [this, this.peer]) {
      end.#isOpen = false
      queueMicrotask(() => end.end('The in-process connection closed.'))
    }
  }
}

/** Two ends of an in-process socket, to run the whole reliable layer without a network. */
export function memoryCarrierPair(): [BaseCarrier, BaseCarrier] {
  const a = new MemoryCarrier()
  const b = new MemoryCarrier()
  a.peer = b
  b.peer = a
  return [a, b]
}
