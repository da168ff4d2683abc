/** A session with a server that runs a veiled model: ids go up veiled, what comes down is unveiled here. */
import type { Attested } from '../../handshake/attestation/attested.ts'
import { SessionError, sessionEnd } from '../../handshake/errors.ts'
import type { TextInput } from '../../model/graph/interpret.ts'
import type { Floats } from '../../model/math.ts'
import type { RgbaPicture } from '../../model/pictures/prepare.ts'
import { patchCount } from '../../model/pictures/tower.ts'
import type { ModelTexts } from '../../model/texts.ts'
import type { Link } from '../../transport/link.ts'
import {
  Cancelled,
  type Connection,
  type Counts,
  type EnclaveFacts,
  type ExplainedChoice,
  type Looked,
  type RunOptions,
  type Shown,
} from '../protection.ts'
import { readerOf } from './attacks.ts'
import { type Kit, textsOfKit } from './kit.ts'
import type { VeiledListing } from './listing.ts'
import { decodeAnswer, encodeRequest, type Request, TAKEN } from './messages.ts'
import type { OwnerEnds } from './owner-ends.ts'
import { veilPicture } from './pictures.ts'

/** What a connection is put together from. */
export interface VeiledParts {
  readonly sessionId: string
  readonly link: Link
  /** Why this link, for people. */
  readonly reason: string
  readonly kit: Kit
  readonly ends: OwnerEnds
  readonly facts: VeiledListing
  /** Where the owner's policy demands an enclave: what was proved of it. The link is then sealed. */
  readonly attested?: Attested
}

function enclaveOf(attested: Attested | undefined): EnclaveFacts {
  if (!attested)
    return { isAttested: false, reason: 'Nothing proves what runs there, or that its host cannot look in.' }
  const { isAttested, platform, machine } = attested
  return {
    isAttested,
    reason: isAttested
      ? `${platform}, ${machine.slice(0, 24)}: the software that your policy allows, and messages are encrypted to it.`
      : `A ${machine}: nothing vouches for it.`,
  }
}

/** The server computes everything; the owner veils, unveils, and chooses tokens. */
export class VeiledConnection implements Connection {
  readonly sessionId: string
  readonly link: ExplainedChoice
  readonly backend: ExplainedChoice
  readonly enclave: EnclaveFacts
  readonly texts: ModelTexts
  readonly maxTokens: number
  readonly readable?: (ids: readonly number[]) => boolean[]
  readonly #parts: VeiledParts
  #tokens = 0
  #hops = 0
  #lastSent = new Uint8Array()
  /** An answer that is still on its way: nobody wants it, but it comes before the next. */
  #late: Promise<unknown> = Promise.resolve()

  constructor(parts: VeiledParts) {
    const { link, reason, facts } = parts
    this.#parts = parts
    this.sessionId = parts.sessionId
    this.link = { name: link.kind, reason }
    this.backend = { name: 'server', reason: `The server computes everything: ${facts.engine}.` }
    this.enclave = enclaveOf(parts.attested)
    this.texts = textsOfKit(parts.kit)
    this.maxTokens = facts.maxTokens
    if (parts.kit.readable) this.readable = readerOf(parts.kit.readable)
  }

  /**
   * Logits of the next token in the model's own order, of those that the server told of; the others are the least that
   * there are. Of a classifier, all labels' logits. Rejects with `Cancelled`, `LinkError` or `SessionError`.
   */
  async run(base: number, input: TextInput, { signal }: RunOptions = {}): Promise<Floats> {
    try {
      await this.#late
      const { facts } = this.#parts
      if (facts.kind === 'picture')
        throw new SessionError('malformed', 'The model reads pictures, not texts.')
      return await (facts.kind === 'decoder'
        ? this.#next(facts, base, input, signal)
        : this.#labels(facts, input, signal))
    } catch (error) {
      throw sessionEnd(error)
    }
  }

  /** Rejects as `run` does, and for a model that reads texts. */
  async look(picture: RgbaPicture, { signal }: RunOptions = {}): Promise<Looked> {
    const { facts, kit, ends } = this.#parts
    try {
      await this.#late
      if (facts.kind !== 'picture' || !kit.pictures)
        throw new SessionError('malformed', 'The model reads texts, not pictures.')
      const { values, view } = veilPicture(picture, kit.pictures, ends)
      const answer = await this.#ask({ kind: 'picture', values }, facts.maxTokens, signal)
      return { logits: ends.unveilLabels(decodeAnswer(answer, facts.labelCount, false).logits), view }
    } catch (error) {
      throw sessionEnd(error)
    }
  }

  /** Rejects as `run` does, and for a model that reads no texts on pictures. */
  async show(picture: RgbaPicture, { signal }: RunOptions = {}): Promise<Shown> {
    const { facts, kit, ends } = this.#parts
    const { pictures } = kit
    try {
      await this.#late
      if (facts.kind !== 'decoder' || pictures?.token === undefined)
        throw new SessionError('malformed', 'The model reads no texts on pictures.')
      const { values, view } = veilPicture(picture, pictures, ends)
      const places = patchCount(pictures)
      const answer = await this.#ask({ kind: 'picture', values }, places, signal)
      if (answer.length !== TAKEN.length || answer[0] !== TAKEN[0])
        throw new SessionError('malformed', 'The server does not say that it has taken the picture.')
      return { view, token: pictures.token, places }
    } catch (error) {
      throw sessionEnd(error)
    }
  }

  async #next(
    facts: VeiledListing & { kind: 'decoder' },
    base: number,
    input: TextInput,
    signal?: AbortSignal,
  ): Promise<Floats> {
    const { ends } = this.#parts
    const ids = Uint32Array.from(ends.veilIds(Array.from(input.ids)))
    const answer = await this.#ask({ kind: 'tokens', base, ids }, ids.length, signal)
    const told = decodeAnswer(answer, facts.top, true)
    const own = this.#own(told.ids, facts.vocab)
    const logits = new Float32Array(facts.vocab).fill(Number.NEGATIVE_INFINITY)
    own.forEach((id, i) => {
      logits[id] = told.logits[i]
    })
    return logits
  }

  #own(ids: Uint32Array, vocab: number): number[] {
    if (new Set(ids).size !== ids.length || !ids.every((id) => id < vocab))
      throw new SessionError('malformed', 'The server tells of tokens that there are not.')
    return this.#parts.ends.unveilIds(Array.from(ids))
  }

  async #labels(
    facts: VeiledListing & { kind: 'labels' },
    input: TextInput,
    signal?: AbortSignal,
  ): Promise<Floats> {
    const { ends } = this.#parts
    const ids = Uint32Array.from(ends.veilIds(Array.from(input.ids)))
    const types = Uint8Array.from(ids, (_, i) => input.types?.[i] ?? 0)
    const answer = await this.#ask({ kind: 'text', ids, types }, ids.length, signal)
    return ends.unveilLabels(decodeAnswer(answer, facts.labelCount, false).logits)
  }

  /** One request and its answer; after `signal` the server is told, and the answer, if it still comes, is dropped. */
  async #ask(request: Request, tokens: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { link } = this.#parts
    if (signal?.aborted) throw new Cancelled('stopped')
    const bytes = encodeRequest(request)
    this.#lastSent = bytes
    this.#hops++
    await link.send(bytes, true)
    const answer = link.receive()
    this.#late = answer.catch(() => undefined)
    let stop = (): void => undefined
    const stopped = new Promise<never>((_, reject) => {
      stop = () => {
        void link.send(encodeRequest({ kind: 'cancel' }), false).catch(() => undefined)
        reject(new Cancelled('stopped'))
      }
    })
    signal?.addEventListener('abort', stop, { once: true })
    // It may have come while the request was on its way.
    if (signal?.aborted) stop()
    try {
      const got = await Promise.race([answer, stopped])
      this.#hops++
      this.#tokens += tokens
      return got
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async prepare(): Promise<void> {}
  async abandon(): Promise<void> {}

  async close(): Promise<void> {
    await this.#parts.link.close('The owner has left.').catch(() => undefined)
  }

  counts(): Counts {
    return {
      tokens: this.#tokens,
      tokensReady: 0,
      hops: this.#hops,
      privateProducts: 0,
      dispatches: 0,
      server: this.#parts.link.traffic,
      serverSample: this.#lastSent,
    }
  }
}
