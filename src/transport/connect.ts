/** Chooses a link: the one that was asked for, or the fastest that connects. */
import type { Dial } from './carrier.ts'
import { dialLink } from './dial.ts'
import { LinkError, toLinkError } from './errors.ts'
import { fetchLink } from './fetch.ts'
import type { Link } from './link.ts'
import type { StreamTimes } from './stream-link.ts'
import { withTimeout } from './timeout.ts'
import { type MakeWebSocket, webSocketDial } from './websocket.ts'

/** In the order in which they are tried, the fastest first. */
export const linkChoices = ['ws', 'webrtc', 'fetch'] as const
/** `?link=`: WebSocket, WebRTC, or plain HTTP requests. */
export type LinkChoice = (typeof linkChoices)[number]

/** How to connect; what is left out has a default, or is not tried. */
export interface ConnectOptions {
  /** `?link=`: leave it out for the fastest. */
  link?: LinkChoice
  fetch?: typeof globalThis.fetch
  /** Where there is no global WebSocket (Node 20). */
  webSocket?: MakeWebSocket
  /** How to open a data channel to this signalling URL; without it WebRTC is not tried. */
  webRtc?: (signalUrl: string) => Dial
  times?: Partial<StreamTimes>
  /** Time for each attempt of the automatic choice. */
  attemptMs?: number
}

/** An open link. */
export interface Connected {
  link: Link
  /** Why it is this link, in plain words. */
  reason: string
}

const names: Record<LinkChoice, string> = { ws: 'WebSocket', webrtc: 'WebRTC', fetch: 'plain HTTP requests' }

/** `server` is the model server's address, such as `https://host:port`. Rejects with `LinkError`. */
export async function connect(server: string, options: ConnectOptions = {}): Promise<Connected> {
  const url = new URL('/api/link', server).href
  if (options.link) {
    return { link: await open(options.link, url, options), reason: `${names[options.link]}, as asked for.` }
  }
  const failures: string[] = []
  let last: LinkError | undefined
  for (const choice of linkChoices) {
    try {
      const link = await withTimeout(
        open(choice, url, options),
        options.attemptMs ?? 4000,
        (late) => void late.close(),
      )
      const after = failures.length ? ` ${failures.join(' ')}` : ''
      return { link, reason: `${names[choice]}, the fastest that connects.${after}` }
    } catch (error) {
      last = toLinkError(error)
      // A server that is full or of another release would say the same over every link.
      if (last.code === 'refused' || last.code === 'version') throw last
      failures.push(`${names[choice]}: ${last.message}`)
    }
  }
  throw new LinkError(last?.code ?? 'lost', `The model server cannot be reached. ${failures.join(' ')}`)
}

function open(choice: LinkChoice, url: string, options: ConnectOptions): Promise<Link> {
  if (choice === 'ws') return dialLink('ws', webSocketDial(url, options.webSocket), options.times)
  if (choice === 'fetch') return fetchLink(url, { fetch: options.fetch })
  if (!options.webRtc) return Promise.reject(new LinkError('unsupported', 'WebRTC is not set up here.'))
  return dialLink('webrtc', options.webRtc(`${url}/rtc`), options.times)
}
