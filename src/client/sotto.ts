/** A data owner as programs know it: OpenAI's calls, computed on secret shares. */
import { makeOwner } from '#engine'
import type { BackendKind } from '../kernels/choose.ts'
import type { OwnerApi } from '../owner/api.ts'
import type { Padding } from '../owner/chat-options.ts'
import type { LinkChoice } from '../transport/connect.ts'
import { ChatCompletions } from './chat-completions.ts'
import { Completions } from './completions.ts'
import { Embeddings } from './embeddings.ts'
import { Models } from './models.ts'
import { type PartiesOptions, partiesOf } from './parties.ts'
import { classifyRequest } from './request.ts'
import { Sessions } from './sessions.ts'
import type { ClassificationList, ClassifyParams, RequestOptions } from './types.ts'

/** Whom to compute with, and how. */
export interface SottoOptions extends PartiesOptions {
  /** How to connect; the fastest that does, if not given. */
  link?: LinkChoice
  /** Where products are computed, in a browser; the fastest that is there, if not given. */
  backend?: BackendKind
  /** Another protection than a model's listing names. */
  protection?: string
  /** `blocks` hides how long texts are, and is what secret sharing does unless told otherwise; `none` is faster. */
  padding?: Padding
  /** An engine of your own instead of one in a worker (browsers) or in this thread (Node). */
  makeOwner?: () => OwnerApi
}

/**
 * Private inference with OpenAI's calls. Texts are split into shares here; the model server sees uniformly random numbers.
 *
 * In a browser each open model has a worker of its own; in Node it runs in this thread. Two models stay open at once.
 */
export class Sotto {
  readonly chat: { readonly completions: ChatCompletions }
  readonly completions: Completions
  readonly embeddings: Embeddings
  readonly models: Models
  readonly #sessions: Sessions
  #lister?: OwnerApi

  /** Connects to nobody yet. Throws `AddressError` for addresses that others could read along with. */
  constructor(options: SottoOptions) {
    const { link, backend, protection, padding } = options
    const parties = partiesOf(options)
    const make = options.makeOwner ?? (() => makeOwner(parties))
    this.#sessions = new Sessions(make, { link, backend, protection })
    this.chat = { completions: new ChatCompletions(this.#sessions, padding) }
    this.completions = new Completions(this.#sessions, padding)
    this.embeddings = new Embeddings(this.#sessions)
    this.models = new Models(() => {
      this.#lister ??= make()
      return this.#lister
    })
  }

  /** Labels texts, in order, by a classifier; rejects as chat completions do. */
  async classify(
    params: ClassifyParams,
    { signal, onProgress }: RequestOptions = {},
  ): Promise<ClassificationList> {
    const { model, inputs } = classifyRequest(params)
    const { result, cost } = await this.#sessions.of(model).use(
      (owner) => owner.classify(inputs),
      signal,
      (event) => event.type === 'progress' && onProgress?.(event),
    )
    signal?.throwIfAborted()
    return {
      object: 'list',
      model,
      data: result.map(({ label, probabilities, isCut }, index) => ({
        object: 'classification',
        index,
        label,
        probabilities,
        is_cut: isCut,
      })),
      usage: cost,
    }
  }

  /** Ends every session, behind the requests that were made. It can be used again afterwards. */
  async close(): Promise<void> {
    const lister = this.#lister
    this.#lister = undefined
    await Promise.all([this.#sessions.close(), lister?.close()])
  }
}
