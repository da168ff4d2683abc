/** The owner's end of a fetch link: one POST per round trip, which works through every proxy. */
import { concatBytes } from '@noble/hashes/utils.js'
import { bodyOf } from './body.ts'
import { isDamage, isTransient, LinkError, toLinkError } from './errors.ts'
import { decodeFrame, FrameFlag, FrameType } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { limits } from './limits.ts'
import { readFrames } from './read-frames.ts'
import { ReliableLink, readClose, refusalFrame, TOKEN_BYTES } from './reliable.ts'

/** Times in milliseconds. */
export interface FetchLinkOptions {
  fetch?: typeof globalThis.fetch
  /** Time after which a POST that keeps failing ends the link. */
  resumeMs?: number
}

/** Opens a link; `url` is the server's `/api/link`. Rejects with `LinkError` when the first POST fails. */
export async function fetchLink(url: string, options: FetchLinkOptions = {}): Promise<FetchLink> {
  const link = new FetchLink(url, options)
  await link.start()
  return link
}

/**
 * POSTs follow one another, each with every frame that is not acknowledged yet; the answer brings the other
 * side's. A POST that fails is repeated byte for byte. Messages that want no answer wait a moment for
 * company.
 */
export class FetchLink extends ReliableLink {
  readonly kind = 'fetch' as const
  readonly #url: string
  readonly #fetch: typeof globalThis.fetch
  readonly #resumeMs: number
  readonly #token = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))
  readonly #abort = new AbortController()
  #known = false
  /** Only one POST carries messages at a time: two could overtake each other. */
  #posting = false
  #polling = false
  #posted = 0
  #replyDue = false
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #pollTimer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined

  constructor(
    url: string,
    { fetch = globalThis.fetch.bind(globalThis), resumeMs = limits.resumeMs }: FetchLinkOptions,
  ) {
    super()
    this.#url = url
    this.#fetch = fetch
    this.#resumeMs = resumeMs
  }

  /** Shows that the server can be reached. */
  async start(): Promise<void> {
    try {
      await this.#attempt([], 0)
    } catch (error) {
      this.fail(toLinkError(error))
    }
    if (this.ended) throw this.ended
    this.#heartbeat = setInterval(
      () => !this.#posting && !this.#polling && void this.#post(),
      limits.heartbeatMs,
    )
    if (typeof this.#heartbeat === 'object') this.#heartbeat.unref?.()
  }

  protected override get lastSent(): number {
    return this.#posted
  }

  /** Polls where no POST is under way that could bring the message. Rejects with `LinkError`. */
  override receive(): Promise<Uint8Array> {
    const message = super.receive()
    if (this.inbox.isAwaited) this.#schedulePoll()
    return message
  }

  protected override transmit(reply: boolean): void {
    this.#replyDue ||= reply
    if (this.#replyDue) void this.#post()
    else this.#flushTimer ??= setTimeout(() => void this.#post(), limits.coalesceMs)
  }

  async #post(): Promise<void> {
    if (this.#posting || this.ended) return
    this.#posting = true
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    const { frames, last } = this.outgoing.batchAfter(0)
    this.#posted = last
    // An answer comes once all of the question is there.
    const wait = this.#replyDue && last === this.outgoing.last
    if (wait) this.#replyDue = false
    await this.#deliver(frames, wait ? FrameFlag.wait : 0)
    this.#posting = false
    if (this.#replyDue) void this.#post()
    else if (this.outgoing.last > this.#posted) this.transmit(false)
    if (this.inbox.isAwaited) this.#schedulePoll()
  }

  /** Someone waits for a message and no POST is under way that could bring it. */
  #schedulePoll(): void {
    this.#pollTimer ??= setTimeout(async () => {
      this.#pollTimer = undefined
      if (this.#posting || this.#polling || this.ended || !this.inbox.isAwaited) return
      this.#polling = true
      await this.#deliver([], FrameFlag.wait)
      this.#polling = false
      if (this.inbox.isAwaited) this.#schedulePoll()
    }, limits.pollDelayMs)
  }

  /** Posts until it succeeds, always with the same frames. */
  async #deliver(frames: Uint8Array[], flags: number): Promise<void> {
    const deadline = Date.now() + this.#resumeMs
    for (let wait = 50, damaged = 0; !this.ended; wait = Math.min(2000, wait * 2)) {
      try {
        return await this.#attempt(frames, flags)
      } catch (error) {
        const typed = toLinkError(error)
        // Inside a body damage may also look like an impossible length.
        const damage = isDamage(typed) || typed.code === 'oversized'
        if (damage) damaged++
        const curable = damage || isTransient(typed)
        if (!curable || damaged > limits.recoveries || Date.now() + wait > deadline) return this.fail(typed)
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
  }

  async #attempt(frames: Uint8Array[], flags: number): Promise<void> {
    const head = this.greeting(FrameType.open, this.#token, flags | (this.#known ? FrameFlag.resume : 0))
    const body = concatBytes(head, ...frames)
    this.traffic.sentBytes += body.length
    const response = await this.#request(body)
    let isGreeted = false
    for await (const bytes of readFrames(bodyOf(response), new FrameReader())) {
      this.traffic.receivedBytes += bytes.length
      const frame = decodeFrame(bytes)
      if (isGreeted) this.apply(frame)
      else {
        if (frame.type === FrameType.close) throw readClose(frame.payload)
        if (frame.type !== FrameType.welcome)
          throw new LinkError('malformed', 'The other side did not greet.')
        isGreeted = true
        this.#known = true
        this.outgoing.acknowledge(frame.ack)
      }
    }
    if (!isGreeted) throw new LinkError('truncated', 'The answer was empty.')
  }

  async #request(body: Uint8Array<ArrayBuffer>): Promise<Response> {
    const signal = AbortSignal.any([
      this.#abort.signal,
      AbortSignal.timeout(limits.pollMs + limits.silenceMs),
    ])
    const headers = { 'content-type': 'application/octet-stream' }
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      body,
      headers,
      signal,
      cache: 'no-store',
    })
    if (response.ok) return response
    // Gateways answer for a server that is away for a moment; everything else will not get better.
    const code = [502, 503, 504].includes(response.status)
      ? 'lost'
      : response.status === 429
        ? 'refused'
        : 'malformed'
    throw new LinkError(code, `The server answered with status ${response.status}.`)
  }

  protected override release(): void {
    clearTimeout(this.#flushTimer)
    clearTimeout(this.#pollTimer)
    clearInterval(this.#heartbeat)
    this.#abort.abort()
    if (this.#known && this.ended?.code !== 'unknown-link') void this.#sayFarewell(this.ended!)
  }

  async #sayFarewell(error: LinkError): Promise<void> {
    const head = this.greeting(FrameType.open, this.#token, FrameFlag.resume)
    const body = concatBytes(head, refusalFrame(error))
    await this.#fetch(this.#url, { method: 'POST', body, keepalive: true }).catch(() => undefined)
  }
}
