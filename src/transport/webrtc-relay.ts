/**
 * A worker cannot make an RTCPeerConnection in most browsers. The window makes it and relays its data channel through
 * a MessagePort: `openRelay(url)` in the window, `relayedDial(openPeer, url)` in the worker, where `openPeer` reaches
 * the window's `openRelay` by whatever means (Comlink needs `transfer(port, [port])`).
 */
import { BaseCarrier, type Carrier, type Dial } from './carrier.ts'
import { postSignal, webRtcDial } from './webrtc.ts'

/** From the window: a frame, the bytes it still buffers, or why it ended. From the worker: a frame, or `null` to close. */
type RelayMessage = ArrayBuffer | number | string | null

/** Window side: opens a data channel to the server's signalling URL. Rejects with `LinkError`. */
export async function openRelay(url: string, dial: Dial = webRtcDial(postSignal(url))): Promise<MessagePort> {
  const { port1, port2 } = new MessageChannel()
  relay(await dial(), port1)
  return port2
}

function relay(carrier: Carrier, port: MessagePort): void {
  let isWatched = false
  /** Tells what is buffered, and again when that has left: nothing more may be sent before it has. */
  const report = async (): Promise<void> => {
    port.postMessage(carrier.buffered)
    if (isWatched || carrier.buffered === 0) return
    isWatched = true
    await carrier.drained(0)
    isWatched = false
    port.postMessage(carrier.buffered)
  }
  port.onmessage = ({ data }: MessageEvent<RelayMessage>) => {
    if (!(data instanceof ArrayBuffer)) return carrier.close()
    try {
      carrier.send(new Uint8Array(data))
      void report()
    } catch {
      carrier.close()
    }
  }
  carrier.listen({
    frame: (bytes) => {
      const copy = bytes.slice().buffer
      port.postMessage(copy, [copy])
    },
    end: (reason) => {
      port.postMessage(reason)
      setTimeout(() => port.close(), 1000)
    },
  })
}

class RelayedCarrier extends BaseCarrier {
  /** What the window last reported, plus what was sent since. */
  buffered = 0
  readonly #port: MessagePort

  constructor(port: MessagePort) {
    super()
    this.#port = port
    port.onmessage = ({ data }: MessageEvent<RelayMessage>) => {
      if (data instanceof ArrayBuffer) this.deliver(new Uint8Array(data))
      else if (typeof data === 'number') this.buffered = data
      else this.end(data ?? 'The data channel closed.')
    }
  }

  send(frame: Uint8Array): void {
    // A copy, because the original may have to be sent again.
    const copy = frame.slice().buffer
    this.buffered += copy.byteLength
    this.#port.postMessage(copy, [copy])
  }

  close(): void {
    this.#port.postMessage(null)
    this.end('closed here')
  }
}

/** Worker side; `url` is the server's signalling address. */
export const relayedDial =
  (openPeer: (url: string) => Promise<MessagePort>, url: string): Dial =>
  async () =>
    new RelayedCarrier(await openPeer(url))
