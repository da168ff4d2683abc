/** From a model's name to a model that is ready to run. */
import { Tokenizer } from '@huggingface/tokenizers'
import type { ServedListing } from '../handshake/listing.ts'
import type { TextModel } from '../model/texts.ts'
import { type TurnFormat, turnFormat } from '../model/tokenizer/chat.ts'
import type { Connection, Protection } from '../protections/protection.ts'
import { protections } from '../protections/registry.ts'
import { partyUrl } from '../transport/party-url.ts'
import type { ModelListing, OnEvent, OpenOptions, OwnerEvent, PageConfig, Phase, SessionInfo } from './api.ts'
import { OwnerError } from './api.ts'
import { CachedTurns } from './cached-turns.ts'
import type { Platform } from './platform.ts'
import { type ModelSource, servedModels } from './source.ts'

/** A server that has just started prepares its models one by one; so long is it waited for, and asked so often. */
const PREPARING_MS = 120_000
const ASK_AGAIN_MS = 500

/** An open session. */
export interface Open {
  readonly model: TextModel
  readonly tokenizer: Tokenizer
  readonly connection: Connection
  readonly info: SessionInfo
  /** How the model takes turns; an encoder takes none. */
  readonly format?: TurnFormat
  /** What the connection has cached. */
  readonly cached: CachedTurns
}

/** What an owner chooses among. */
export interface Offers {
  readonly protections: readonly Protection[]
  readonly source: ModelSource
}

/** All protections, and the models of the configured server, unless `choices` say otherwise. */
export const offersOf = (
  { server, base }: PageConfig,
  platform: Platform,
  choices: Partial<Offers> = {},
): Offers => ({
  protections: choices.protections ?? protections,
  source: choices.source ?? servedModels(partyUrl(server, 'the model server', { base }), platform),
})

/** How far a phase is: `done` of `total`, in bytes, steps or tokens. */
export const progress = (phase: Phase, done: number, total: number, text: string): OwnerEvent => ({
  type: 'progress',
  phase,
  done,
  total,
  text,
})

/** How much of a request has been read. */
export const reading = ({ info }: Open, done: number, total: number, what: 'message' | 'texts'): OwnerEvent =>
  progress(
    'prefill',
    done,
    total,
    `Reading your ${what}${info.model.protection.notice.hidesTexts ? ', privately' : ''}`,
  )

/** Models that can be run here, each with the protection that it would run under. */
export async function listModels(
  { protections, source }: Offers,
  config: PageConfig,
): Promise<ModelListing[]> {
  const { models } = await source.list()
  const known = models.flatMap((listing) => {
    const protection = protections.find(({ id }) => id === listing.protection)
    return protection ? [withWords(listing, protection, config)] : []
  })
  return Promise.all(known)
}

async function withWords(
  listing: ServedListing,
  protection: Protection,
  { protections, base }: PageConfig,
): Promise<ModelListing> {
  const { id, needsDealer } = protection
  const ofPictures =
    listing.reads === 'pictures' ? await protection.noticeOfPictures?.(listing.outputs === 'text') : undefined
  const notice = ofPictures ?? protection.notice
  const dealer = protection.dealer?.(protections?.[id], base)
  return { ...listing, protection: { id, notice, needsDealer, dealer } }
}

/** Downloads what there is of the model and connects. Rejects with typed errors, having closed what it opened. */
export async function openModel(
  config: PageConfig,
  platform: Platform,
  options: OpenOptions,
  onEvent: OnEvent,
  { protections, source }: Offers = offersOf(config, platform),
): Promise<Open> {
  const { listing, serverKey } = await preparedListing(source, options.model, onEvent)
  const wanted = options.protection ?? listing.protection
  const protection = protections.find(({ id }) => id === wanted)
  if (!protection)
    throw new OwnerError(
      'unknown-protection',
      `There is no protection '${wanted}' here, which '${listing.name}' would run under.`,
      'Reload the page, or choose another model.',
    )
  const words = await withWords(listing, protection, config)
  const connection = await protection.connect({
    server: config.server,
    serverKey,
    listing,
    download: () =>
      source.load(listing, (loaded, total) =>
        onEvent(progress('model', loaded, total, 'Downloading the public part of the model')),
      ),
    settings: config.protections?.[protection.id],
    base: config.base,
    surroundings: platform,
    link: options.link,
    backend: options.backend,
    onEvent: (event) =>
      onEvent(event.type === 'notice' ? event : progress('connect', event.done, event.total, event.text)),
  })
  const { sessionId, link, backend, enclave, dealer, texts } = connection
  const tokenizer = new Tokenizer(texts.tokenizer, {})
  const format = await formatOf(tokenizer, texts.model).catch(async (error: unknown) => {
    await connection.close()
    throw error
  })
  return {
    model: texts.model,
    tokenizer,
    format,
    connection,
    info: {
      model: words,
      link: { kind: link.name, reason: link.reason },
      backend,
      enclave,
      takesSystem: format?.withSystem !== undefined,
      dealer,
      server: config.server,
      sessionId,
    },
    cached: new CachedTurns(),
  }
}

/** The model's listing, once the server can open sessions with it. */
async function preparedListing(
  source: ModelSource,
  name: string,
  onEvent: OnEvent,
): Promise<{ listing: ServedListing; serverKey: string }> {
  for (const until = performance.now() + PREPARING_MS; ; ) {
    const { models, serverKey } = await source.list()
    const listing = models.find((m) => m.name === name)
    if (!listing)
      throw new OwnerError('unknown-model', `The server has no model '${name}'.`, 'Choose another model.')
    if (!listing.pending) return { listing, serverKey }
    if (performance.now() > until)
      throw new OwnerError('unknown-model', `The server is still preparing '${name}'.`, 'Try again later.')
    onEvent(progress('connect', 0, 3, 'The server is preparing this model'))
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  }
}

/** How a model takes turns, if it does; what runs templates is loaded for models that have one. Rejects with `TemplateError`. */
async function formatOf(tokenizer: Tokenizer, model: TextModel): Promise<TurnFormat | undefined> {
  if (!model.continuesText) return undefined
  const { chat } = model
  if (!chat || !('tokens' in chat)) return turnFormat(tokenizer, model)
  const { turnMarks } = await import('../model/tokenizer/template.ts')
  return turnFormat(tokenizer, model, turnMarks(chat.template, chat.tokens))
}
