/**
 * A whole protection in one file, to see that the door holds: the model server runs the float model on tokens in the clear.
 * No dealer, no plan; one entry for an owner's list and one for a server's.
 */
import * as v from 'valibot'
import { SessionError } from '../../src/handshake/errors.ts'
import { refused } from '../../src/handshake/greeting.ts'
import { PROTOCOL_VERSION } from '../../src/handshake/limits.ts'
import { parseJson } from '../../src/handshake/parse-json.ts'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { encoderModel } from '../../src/model/graph/encoder-model.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import type { TextInput } from '../../src/model/graph/interpret.ts'
import { type ModelTexts, textsOf } from '../../src/model/texts.ts'
import {
  Cancelled,
  type Connection,
  type Protection,
  type RunOptions,
} from '../../src/protections/protection.ts'
import type { Serving, ServingProtection } from '../../src/protections/serving.ts'
import { connect } from '../../src/transport/connect.ts'
import type { Link } from '../../src/transport/link.ts'

const answer = v.variant('t', [v.object({ t: v.literal('welcome') }), refused])
const question = v.object({ base: v.number(), ids: v.array(v.number()), types: v.array(v.number()) })

const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

class ToyConnection implements Connection {
  readonly sessionId = 'toy'
  readonly backend = { name: 'none', reason: 'The server computes everything.' }
  readonly link: { name: string; reason: string }
  /** So few that a prompt takes several passes. */
  readonly maxTokens: number
  readonly prepared: number[] = []
  #tokens = 0
  readonly #link: Link

  readonly texts: ModelTexts

  constructor(link: Link, reason: string, texts: ModelTexts) {
    this.#link = link
    this.texts = texts
    this.maxTokens = texts.model.continuesText ? 5 : 20
    this.link = { name: link.kind, reason }
  }

  async run(base: number, { ids, types }: TextInput, { signal }: RunOptions = {}): Promise<Float64Array> {
    if (signal?.aborted) throw new Cancelled('stopped')
    await this.#link.send(json({ base, ids: Array.from(ids), types: Array.from(types ?? []) }), true)
    const bytes = await this.#link.receive()
    this.#tokens += ids.length
    return new Float64Array(bytes.slice().buffer)
  }

  async prepare(): Promise<void> {}
  async abandon(): Promise<void> {}
  close = (): Promise<void> => this.#link.close('The owner has left.')

  counts = () => ({
    ...{ tokens: this.#tokens, tokensReady: 0, hops: 0, privateProducts: 0, dispatches: 0 },
    ...{ server: this.#link.traffic, serverSample: new Uint8Array() },
  })
}

export const toy: Protection = {
  id: 'toy',
  notice: {
    title: 'A toy',
    summary: 'not private; the server reads everything',
    hidesTexts: false,
    lead: { chat: 'The server reads everything.', classify: 'The server reads everything.' },
    promise: 'None.',
    parties: { owner: 'Holds your words.', server: 'Holds your words, too.' },
    afterFailure: 'Words were sent in the clear.',
    visible: { chat: ['Everything.'], classify: ['Everything.'] },
    limits: [],
    pooled: [],
  },
  needsServer: true,
  needsDealer: false,
  async connect({ server, listing, download, surroundings, link: choice, onEvent }) {
    onEvent({ type: 'progress', done: 0, total: 1, text: 'Connecting to the toy' })
    const { link, reason } = await connect(server, { ...surroundings.connect, link: choice })
    await link.send(json({ t: 'hello', protocolVersion: PROTOCOL_VERSION, modelHash: listing.hash }), true)
    const welcome = parseJson(answer, await link.receive(), 'The toy’s answer')
    if (welcome.t === 'refused') {
      await link.close()
      throw SessionError.parse(welcome)
    }
    return new ToyConnection(link, reason, textsOf(await download()))
  },
}

async function answerAll({ manifest: { config }, tensors }: Bundle, link: Link): Promise<void> {
  const decoder = continuesText(config) ? floatModel(config, tensors) : undefined
  for (;;) {
    const { base, ids, types } = parseJson(question, await link.receive(), 'The question')
    decoder?.rewind(base)
    const logits = decoder?.forward(ids) ?? encoderModel(config, tensors).forward({ ids, types }).logits!
    await link.send(new Uint8Array(logits.slice().buffer), false)
  }
}

export const toyServing: ServingProtection = {
  id: 'toy',
  takes: ({ name }) => name.startsWith('toy-'),
  async serve({ entries }): Promise<Serving> {
    const bundles = new Map<string, Bundle>()
    for (const { hash, dir } of entries) bundles.set(hash, await loadBundle(dir))
    return {
      models: entries.map(({ hash }) => ({ modelHash: hash, listing: { toys: bundles.size } })),
      isReady: true,
      isPending: () => false,
      whenReady: () => Promise.resolve(),
      failed: new Promise(() => undefined),
      async greet(link, first) {
        const { modelHash } = parseJson(v.object({ modelHash: v.string() }), first, 'The greeting')
        await link.send(json({ t: 'welcome' }), true)
        return () => answerAll(bundles.get(modelHash)!, link)
      },
      stop: async () => undefined,
    }
  },
}
