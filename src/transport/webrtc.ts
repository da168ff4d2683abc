/**
 * Carrier over a WebRTC data channel. Signalling is one POST: the offer, complete with its candidates, goes out and
 * the answer comes back; there is no trickling and no outside STUN server.
 */
import { BaseCarrier, type Carrier, type Dial } from './carrier.ts'
import { LinkError } from './errors.ts'
import { limits } from './limits.ts'
import { withTimeout } from './timeout.ts'

/** The part of `RTCDataChannel` that we use; `MessagePort` relays and node-datachannel provide it too. */
export interface DataChannelLike {
  binaryType: string
  readonly bufferedAmount: number
  readonly readyState: string
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
  addEventListener(type: 'open' | 'error' | 'close' | 'message', listener: (event: never) => void): void
}

/** One frame is one message of an ordered, reliable channel. */
export class DataChannelCarrier extends BaseCarrier {
  readonly #channel: DataChannelLike
  readonly #release: () => void

  /** `release` closes the peer connection that the channel belongs to. */
  constructor(channel: DataChannelLike, release: () => void) {
    super()
    this.#channel = channel
    this.#release = release
    channel.binaryType = 'arraybuffer'
    channel.addEventListener('message', (event: { data: unknown }) => {
      this.deliver(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array(1))
    })
    const over = () => {
      this.end('The data channel closed.')
      release()
    }
    channel.addEventListener('close', over)
    channel.addEventListener('error', over)
  }

  get buffered(): number {
    return this.#channel.readyState === 'open' ? this.#channel.bufferedAmount : 0
  }

  /** Throws `LinkError` (`lost`) where the channel is not open. */
  send(frame: Uint8Array): void {
    if (this.#channel.readyState !== 'open') throw new LinkError('lost', 'The data channel is not open.')
    this.#channel.send(frame as Uint8Array<ArrayBuffer>)
  }

  close(): void {
    this.end('closed here')
    this.#channel.close()
    // What was sent last, such as the reason for closing, still has to leave.
    setTimeout(this.#release, 200)
  }
}

/** Posts the offer; resolves with the answer's SDP. */
export type Signal = (offer: string) => Promise<string>

/** Signalling by HTTP. The signal rejects with `LinkError`: `lost`, `unsupported` or `refused`. */
export const postSignal =
  (url: string, fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)): Signal =>
  async (offer) => {
    const headers = { 'content-type': 'application/sdp' }
    const response = await fetch(url, { method: 'POST', body: offer, headers }).catch((cause) => {
      throw new LinkError('lost', 'The server could not be reached for a WebRTC connection.', { cause })
    })
    if (response.status === 404)
      throw new LinkError('unsupported', 'This server offers no WebRTC connections.')
    if (!response.ok)
      throw new LinkError('refused', `The server answered an offer with status ${response.status}.`)
    return response.text()
  }

/** Opens a data channel from a window; workers have no RTCPeerConnection: see `webrtc-relay.ts`. */
export function webRtcDial(signal: Signal): Dial {
  return () => withTimeout(openChannel(signal), limits.handshakeMs, (late) => late.close())
}

async function openChannel(signal: Signal): Promise<Carrier> {
  if (typeof RTCPeerConnection === 'undefined') throw new LinkError('unsupported', 'There is no WebRTC here.')
  const peer = new RTCPeerConnection()
  try {
    const channel = peer.createDataChannel('sotto', { ordered: true })
    await peer.setLocalDescription(await peer.createOffer())
    await gathered(peer)
    const answer = await signal(peer.localDescription!.sdp)
    const carrier = new DataChannelCarrier(channel as DataChannelLike, () => peer.close())
    const opened = new Promise<void>((resolve, reject) => {
      channel.addEventListener('open', () => resolve())
      peer.addEventListener('connectionstatechange', () => {
        if (peer.connectionState === 'failed')
          reject(new LinkError('lost', 'No WebRTC path to the server was found.'))
      })
    })
    await peer.setRemoteDescription({ type: 'answer', sdp: answer })
    await withTimeout(opened, limits.handshakeMs)
    return carrier
  } catch (error) {
    peer.close()
    throw error
  }
}

/** Host candidates are there at once; a stuck interface must not hold the offer up. */
function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1500)
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState !== 'complete') return
      clearTimeout(timer)
      resolve()
    })
  })
}
