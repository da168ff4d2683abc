/** WebRTC in Node through node-datachannel: answers offers, and for a data owner in the terminal also makes them. */
import { isIP } from 'node:net'
import { type DataChannel, PeerConnection, type RtcConfig } from 'node-datachannel'
import { BaseCarrier, type Carrier, type Dial } from '../carrier.ts'
import { LinkError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isLoopback } from '../party-url.ts'
import { withTimeout } from '../timeout.ts'
import type { Signal } from '../webrtc.ts'
import './crc32.ts'

/** A server on the loopback interface offers no other address; elsewhere every interface is offered. */
const config = (host: string): RtcConfig => ({
  iceServers: [],
  ...(isLoopback(host)
    ? { bindAddress: '127.0.0.1' }
    : isIP(host) === 4 && host !== '0.0.0.0'
      ? { bindAddress: host }
      : {}),
})

class NodeChannelCarrier extends BaseCarrier {
  readonly #channel: DataChannel
  readonly #peer: PeerConnection
  #isOpen = true

  constructor(channel: DataChannel, peer: PeerConnection) {
    super()
    this.#channel = channel
    this.#peer = peer
    channel.onMessage((data) => {
      if (typeof data === 'string') this.deliver(new Uint8Array(1))
      else this.deliver(new Uint8Array(data))
    })
    channel.onClosed(() => this.#over('The data channel closed.'))
    channel.onError((error) => this.#over(error))
    peer.onStateChange((state) => {
      // 'disconnected' may pass, and is also reported before the answer has come.
      if (state === 'failed' || state === 'closed') this.#over(`WebRTC ${state}.`)
    })
  }

  get buffered(): number {
    return this.#isOpen ? this.#channel.bufferedAmount() : 0
  }

  send(frame: Uint8Array): void {
    if (!this.#isOpen) throw new LinkError('lost', 'The data channel is not open.')
    this.#channel.sendMessageBinary(frame)
  }

  close(): void {
    this.#over('closed here', 200)
  }

  /** The library's handles must be closed exactly once, and not inside one of their own callbacks. */
  #over(reason: string, delay = 0): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.end(reason)
    setTimeout(() => this.#peer.close(), delay)
  }
}

/** Offers that were answered and whose data channel has not opened yet: each holds sockets and threads for a while. */
const pending = new Map<string, number>()
const MAX_PENDING = 64
const MAX_PENDING_PER_PEER = 8

/** Answers one offer from a network `address`; `onCarrier` is called when its data channel opens. Rejects with `LinkError`. */
export async function answerOffer(
  offer: string,
  host: string,
  onCarrier: (carrier: Carrier) => void,
  address = '',
): Promise<string> {
  const own = pending.get(address) ?? 0
  const all = [...pending.values()].reduce((sum, count) => sum + count, 0)
  if (all >= MAX_PENDING || own >= MAX_PENDING_PER_PEER)
    throw new LinkError('refused', 'Too many WebRTC connections are being made.')
  pending.set(address, own + 1)
  const peer = new PeerConnection('sotto-server', config(host))
  const settle = () => {
    if (abandon === undefined) return
    clearTimeout(abandon)
    abandon = undefined
    const left = (pending.get(address) ?? 1) - 1
    if (left > 0) pending.set(address, left)
    else pending.delete(address)
  }
  let abandon: ReturnType<typeof setTimeout> | undefined = setTimeout(() => {
    settle()
    peer.close()
  }, limits.handshakeMs * 2)
  peer.onDataChannel((channel) => {
    const carrier = new NodeChannelCarrier(channel, peer)
    const ready = () => {
      settle()
      onCarrier(carrier)
    }
    if (channel.isOpen()) ready()
    else channel.onOpen(ready)
  })
  try {
    const described = complete(peer)
    peer.setRemoteDescription(offer, 'offer')
    return await withTimeout(described, limits.handshakeMs)
  } catch (cause) {
    settle()
    peer.close()
    throw new LinkError('malformed', 'The WebRTC offer could not be answered.', { cause })
  }
}

/** The dialling side in Node. `host` is the server's, to stay on the loopback interface where it is. */
export const nodeWebRtcDial =
  (signal: Signal, host: string): Dial =>
  () =>
    openChannel(signal, host)

async function openChannel(signal: Signal, host: string): Promise<Carrier> {
  const peer = new PeerConnection('sotto-owner', config(host))
  try {
    const described = complete(peer)
    const channel = peer.createDataChannel('sotto')
    const carrier = new NodeChannelCarrier(channel, peer)
    const opened = new Promise<void>((resolve) => channel.onOpen(resolve))
    const offer = withoutCandidates(await withTimeout(described, limits.handshakeMs))
    peer.setRemoteDescription(await signal(offer), 'answer')
    await withTimeout(opened, limits.handshakeMs)
    return carrier
  } catch (error) {
    peer.close()
    throw error
  }
}

/**
 * An offer without addresses lets only us begin. If both did, the connection could be up on loopback before
 * libdatachannel has stored the fingerprint that it checks the other side's certificate against.
 */
const withoutCandidates = (sdp: string): string =>
  sdp
    .split('\r\n')
    .filter((line) => !line.startsWith('a=candidate') && line !== 'a=end-of-candidates')
    .join('\r\n')

/** Resolves with the local description once it names all candidates. */
function complete(peer: PeerConnection): Promise<string> {
  return new Promise((resolve) => {
    peer.onGatheringStateChange((state) => {
      const description = peer.localDescription()
      if (state === 'complete' && description) resolve(description.sdp)
    })
  })
}
