/** Carrier over a WebSocket: the browser's, or the `ws` package's, which has the same events. */
import { BaseCarrier, type Dial } from './carrier.ts'
import { LinkError } from './errors.ts'

/** What both implementations share of the standard's interface. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  readonly readyState: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Where the implementation can tell: resolves when it holds no more than `low` bytes, or has ended. */
  drained?(low: number): Promise<void>
  /** Stops and goes on reading, where the implementation can. */
  pause?(): void
  resume?(): void
  addEventListener(type: 'open' | 'error' | 'close' | 'message', listener: (event: never) => void): void
}

/** Begins to connect. */
export type MakeWebSocket = (url: string) => WebSocketLike

const OPEN = 1

/** One frame is one binary message (RFC 6455). */
export class WebSocketCarrier extends BaseCarrier {
  readonly #socket: WebSocketLike

  constructor(socket: WebSocketLike) {
    super()
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', (event: { data: unknown }) => {
      // A text message is never ours; as bytes it fails the frame checks with a typed error.
      this.deliver(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array(1))
    })
    socket.addEventListener('close', (event: { code?: number }) =>
      this.end(`The WebSocket closed (${event.code ?? 'no code'}).`),
    )
    socket.addEventListener('error', () => this.end('The WebSocket failed.'))
  }

  get buffered(): number {
    return this.#socket.readyState === OPEN ? this.#socket.bufferedAmount : 0
  }

  override drained(low: number): Promise<void> {
    return this.#socket.drained?.(low) ?? super.drained(low)
  }

  /** Throws `LinkError` (`lost`) where the socket is not open. */
  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== OPEN) throw new LinkError('lost', 'The WebSocket is not open.')
    this.#socket.send(frame as Uint8Array<ArrayBuffer>)
  }

  pause(): void {
    this.#socket.pause?.()
  }

  resume(): void {
    this.#socket.resume?.()
  }

  close(): void {
    // A socket that does not read never hears that the other side has closed, too.
    this.#socket.resume?.()
    this.#socket.close()
    this.end('closed here')
  }
}

/** `url` may be http(s) or ws(s). `make` is injected where there is no global WebSocket (Node 20). */
export function webSocketDial(url: string, make?: MakeWebSocket): Dial {
  const target = url.replace(/^http/, 'ws')
  return () =>
    new Promise((resolve, reject) => {
      if (!make && typeof WebSocket === 'undefined') {
        return reject(new LinkError('unsupported', 'There is no WebSocket here.'))
      }
      const socket = make ? make(target) : (new WebSocket(target) as WebSocketLike)
      socket.addEventListener('open', () => resolve(new WebSocketCarrier(socket)))
      socket.addEventListener('error', () =>
        reject(new LinkError('lost', 'The WebSocket could not be opened.')),
      )
      socket.addEventListener('close', () =>
        reject(new LinkError('lost', 'The WebSocket closed before it opened.')),
      )
    })
}
