/** The page around an embedded view: who it is, and the port to it. */
import { type FrameMessage, HELLO, type HostMessage } from '../../widget/messages.ts'

/** A site that may embed the views, as the page's configuration names it. */
export interface Embedder {
  origin: string
  /** Whether it hears what is said; that somebody said something it hears always. */
  content?: boolean
}

/** The sites that may embed, from the page's own origin. */
async function embedders(): Promise<Embedder[]> {
  const response = await fetch(new URL('config.json', document.baseURI), { cache: 'no-store' })
  const { embedders = [] } = (await response.json()) as { embedders?: Embedder[] }
  return embedders
}

/** The page around us, once it is known who that is. */
export interface Host {
  name: string
  /** Whether it is told what is said. */
  mayRead: boolean
}

/** Takes the first port that the page around us hands over, and no other. */
export class HostLink {
  readonly #hear: (message: HostMessage) => void
  readonly #met: (host: Host | 'nobody') => void
  readonly #waiting: FrameMessage[] = []
  #port?: MessagePort
  #mayRead = false

  /** @param met hears who the page around us is, once that is known */
  constructor(hear: (message: HostMessage) => void, met: (host: Host | 'nobody') => void) {
    this.#hear = hear
    this.#met = met
    if (window.parent === window) {
      met('nobody')
      return
    }
    const greet = ({ source, data, origin, ports }: MessageEvent): void => {
      if (source !== window.parent || data !== HELLO || ports.length !== 1) return
      window.removeEventListener('message', greet)
      void this.#admit(origin, ports[0])
    }
    window.addEventListener('message', greet)
  }

  /** What was said goes along only where our own site has granted it to that page. */
  send(message: FrameMessage): void {
    if (!this.#port) this.#waiting.push(message)
    else if (message.type !== 'message' || this.#mayRead) this.#port.postMessage(message)
    else this.#port.postMessage({ type: message.type, role: message.role } satisfies FrameMessage)
  }

  /** The browser lets only listed sites embed us (`frame-ancestors`); this is the same list once more, by exact origin. */
  async #admit(origin: string, port: MessagePort): Promise<void> {
    const known = (await embedders().catch(() => [])).find((each) => each.origin === origin)
    if (!known) return port.close()
    this.#mayRead = known.content === true
    this.#port = port
    port.onmessage = ({ data }: MessageEvent<HostMessage>) => this.#hear(data)
    this.#met({ name: new URL(origin).host, mayRead: this.#mayRead })
    for (const message of this.#waiting.splice(0)) this.send(message)
  }
}
