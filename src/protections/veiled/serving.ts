/** Veiled models at the model server: an ordinary engine runs them, and owners' ids and logits go to and fro. */
import * as v from 'valibot'
import { SessionError } from '../../handshake/errors.ts'
import { parseJson } from '../../handshake/parse-json.ts'
import type { Link } from '../../transport/link.ts'
import type { BroughtListing, ServedModel, Serving, ServingProtection } from '../serving.ts'
import { engineNames } from './engines.ts'
import { VEILED } from './id.ts'
import type { VeiledListing } from './listing.ts'
import { hello } from './messages.ts'
import { type Attester, greetAttested, welcome } from './server/attested-greeting.ts'
import { attesterOf } from './server/attester.ts'
import { type Cloud, countParameters, readCloud } from './server/checkpoint.ts'
import type { Engine } from './server/engine.ts'
import { serveSession } from './server/session.ts'
import { upstreamUrl } from './server/upstream-url.ts'

/** Tokens of one request at most: a longer prompt comes in several. */
const MAX_TOKENS = 512

const settingsSchema = v.object({
  /** Folders that `sotto model veil` has made. */
  clouds: v.pipe(v.array(v.string()), v.minLength(1)),
  engine: v.optional(v.picklist(engineNames)),
  /** Address of an engine that runs already, and has the one model. */
  upstream: v.optional(v.object({ url: v.string(), key: v.optional(v.string()) })),
  /** Where evidence of an enclave comes from: a simulator's key, or a command. */
  attest: v.optional(v.string()),
})
/** What `sotto serve` says for veiled models. */
export type VeiledServeSettings = v.InferInput<typeof settingsSchema>

interface Loaded {
  readonly cloud: Cloud
  readonly engine: Engine
  readonly maxTokens: number
}

/** Serves what its settings name; a catalogue's bundles are none of its business. */
export const veiledServing: ServingProtection = {
  id: VEILED,
  takes: () => false,
  bringsModels: (settings) => v.is(settingsSchema, settings),
  async serve({ settings, log }) {
    const { clouds, engine: name, upstream, attest } = v.parse(settingsSchema, settings)
    if (upstream)
      upstreamUrl(upstream.url, { hasKey: upstream.key !== undefined, isAttested: attest !== undefined })
    const attester = attest === undefined ? undefined : await attesterOf(attest)
    if (attester) log.info({ evidence: attester.name }, 'shows evidence of an enclave')
    // Engines are large: who serves no veiled model does without.
    const { loadEngine } = await import('./server/load.ts')
    const loaded: Loaded[] = []
    try {
      for (const cloud of clouds.map(readCloud)) {
        if (loaded.some((other) => other.cloud.name === cloud.name))
          throw new Error(`Two veiled models are called ${cloud.name}: rename the folder of one.`)
        const engine = await loadEngine(cloud, { name, upstream })
        log.info({ model: cloud.name, engine: engine.name }, 'veiled model loaded')
        loaded.push({ cloud, engine, maxTokens: longest(engine) })
      }
    } catch (error) {
      await Promise.allSettled(loaded.map(({ engine }) => engine.close()))
      throw error
    }
    return new VeiledServing(loaded, attester)
  },
}

const longest = (engine: Engine): number =>
  engine.kind === 'picture' ? engine.patches : Math.min(MAX_TOKENS, engine.context)

class VeiledServing implements Serving {
  readonly models: readonly ServedModel[] = []
  readonly brought: readonly BroughtListing[]
  readonly isReady = true
  readonly failed = new Promise<Error>(() => undefined)
  readonly #loaded: readonly Loaded[]
  readonly #attester?: Attester

  constructor(loaded: readonly Loaded[], attester?: Attester) {
    this.#loaded = loaded
    this.#attester = attester
    this.brought = loaded.map(listingOf)
  }

  isPending(): boolean {
    return false
  }

  async whenReady(): Promise<void> {}

  /** Rejects with `SessionError`: `unknown-model`, or `plan-mismatch` for an owner with another key. */
  async greet(link: Link, first: Uint8Array): Promise<() => Promise<void>> {
    const { modelHash, keyId, attest } = parseJson(hello, first, 'The greeting')
    const model = this.#loaded.find(({ cloud }) => cloud.hash === modelHash)
    if (!model) throw new SessionError('unknown-model', 'The server has no such model.')
    if (model.cloud.keyId !== keyId)
      throw new SessionError('plan-mismatch', 'The model is disguised with another key than the page has.')
    if (attest === undefined) await welcome(link)
    const session = attest === undefined ? link : await greetAttested(link, attest, this.#attester)
    return () => serveSession(session, model.engine, model.maxTokens)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loaded.map(({ engine }) => engine.close()))
  }
}

function listingOf({ cloud, engine, maxTokens }: Loaded): BroughtListing {
  const parameters = countParameters(cloud)
  const { keyId, figure } = cloud
  const common = { keyId, engine: engine.name, maxTokens, ...(figure ? { figure } : {}) }
  return {
    name: cloud.name,
    title: cloud.title ?? cloud.name,
    description: cloud.description ?? `A ${cloud.family} model that only who holds its key makes sense of.`,
    licence: cloud.licence ?? 'not stated',
    hash: cloud.hash,
    publicBytes: 0,
    parameters,
    privateParameters: parameters,
    context: engine.kind === 'picture' ? engine.patches : engine.context,
    ...useOf(engine),
    ...factsOf(engine, common),
  }
}

/** What people use it for. */
function useOf(
  engine: Engine,
): Pick<BroughtListing, 'task'> & Partial<Pick<BroughtListing, 'reads' | 'outputs'>> {
  if (engine.kind === 'picture') return { task: 'classify', reads: 'pictures' }
  if (engine.kind === 'labels') return { task: 'classify' }
  return engine.pictures ? { task: 'classify', reads: 'pictures', outputs: 'text' } : { task: 'chat' }
}

function factsOf(
  engine: Engine,
  common: Pick<VeiledListing, 'keyId' | 'engine' | 'maxTokens' | 'figure'>,
): VeiledListing {
  switch (engine.kind) {
    case 'decoder':
      return { kind: 'decoder', ...common, vocab: engine.vocab, top: engine.top }
    case 'labels':
      return { kind: 'labels', ...common, vocab: engine.vocab, labelCount: engine.labels }
    case 'picture':
      return { kind: 'picture', ...common, labelCount: engine.labels }
  }
}
