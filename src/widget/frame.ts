/** The frame on our origin, in an element of somebody's page. */
import { type FrameMessage, HELLO, type HostMessage, type Look } from './messages.ts'

export class Frame {
  readonly element: HTMLIFrameElement
  #port?: MessagePort
  readonly #waiting: HostMessage[] = []

  /**
   * @param base where the frame's page is, ending in a slash
   * @param query what the frame is to show
   */
  constructor(base: string, query: Record<string, string>, onMessage: (message: FrameMessage) => void) {
    const address = new URL('embed.html', base)
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
    this.element = document.createElement('iframe')
    this.element.setAttribute(
      'sandbox',
      'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox',
    )
    this.element.referrerPolicy = 'no-referrer'
    this.element.title = 'Private chat'
    this.element.addEventListener(
      'load',
      () => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }: MessageEvent<FrameMessage>) => onMessage(data)
        this.#port = port1
        // To that origin and no other: whatever else the frame may show by now never gets the port.
        this.element.contentWindow?.postMessage(HELLO, address.origin, [port2])
        for (const message of this.#waiting.splice(0)) port1.postMessage(message)
      },
      { once: true },
    )
    this.element.src = address.href
  }

  send(message: HostMessage): void {
    if (this.#port) this.#port.postMessage(message)
    else this.#waiting.push(message)
  }

  /** What the element's attributes and the page's styles say of looks. */
  static lookOf(element: HTMLElement): Look {
    const style = getComputedStyle(element)
    const of = (name: string) =>
      element.getAttribute(name) || style.getPropertyValue(`--sotto-${name}`).trim() || undefined
    return { theme: of('theme'), accent: of('accent'), radius: of('radius') }
  }
}
