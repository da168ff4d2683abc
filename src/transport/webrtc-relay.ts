/**
 * A worker cannot make an RTCPeerConnection in most browsers. The window makes it and relays its data channel through
 * a MessagePort: `serveRtcDials(port)` in the window, `relayedRtcDial(port, url)` in the worker, over one control port.
 */
import { BaseCarrier, type Carrier, type Dial } from './carrier.ts'
import { isLinkErrorCode, LinkError, toLinkError } from './errors.ts'
import { postSignal, webRtcDial } from './webrtc.ts'

type DialRequest = { id: number; url: string }
type DialReply = { id: number; code?: string; message?: string }
/** From the window: a frame, `buffered` bytes, or the end. From the worker: a frame or `null` to close. */
type RelayMessage = ArrayBuffer | number | string | null

/** Window side. `dialFor` is replaceable for tests. */
export function serveRtcDials(
  control: MessagePort,
  dialFor = (url: string): Dial => webRtcDial(postSignal(url)),
): void {
  control.onmessage = async ({ data }: MessageEvent<DialRequest>) => {
    try {
      const carrier = await dialFor(data.url)()
      const { port1, port2 } = new MessageChannel()
      relay(carrier, port1)
      control.postMessage({ id: data.id } satisfies DialReply, [port2])
    } catch (error) {
      const { code, message } = toLinkError(error)
      control.postMessage({ id: data.id, code, message } satisfies DialReply)
    }
  }
}

function relay(carrier: Carrier, port: MessagePort): void {
  port.onmessage = ({ data }: MessageEvent<RelayMessage>) => {
    if (!(data instanceof ArrayBuffer)) return carrier.close()
    try {
      carrier.send(new Uint8Array(data))
      port.postMessage(carrier.buffered)
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
  /** Sent towards the window and not yet reported on, plus what the window last reported. */
  buffered = 0
  private readonly port: MessagePort

  constructor(port: MessagePort) {
    super()
    this.port = port
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
    this.port.postMessage(copy, [copy])
  }

  close(): void {
    this.port.postMessage(null)
    this.end('closed here')
  }
}

/** Worker side: `url` is the server's signalling address. One control port serves any number of dials. */
export function relayedRtcDial(control: MessagePort, url: string): Dial {
  let last = 0
  return () =>
    new Promise((resolve, reject) => {
      const id = ++last
      const onMessage = ({ data, ports }: MessageEvent<DialReply>) => {
        if (data.id !== id) return
        control.removeEventListener('message', onMessage as EventListener)
        if (ports[0]) return resolve(new RelayedCarrier(ports[0]))
        reject(
          new LinkError(isLinkErrorCode(data.code) ? data.code : 'lost', data.message ?? 'WebRTC failed.'),
        )
      }
      control.addEventListener('message', onMessage as EventListener)
      control.start()
      control.postMessage({ id, url } satisfies DialRequest)
    })
}
