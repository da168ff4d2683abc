/**
 * Runs the three parties of a case in one process, with the real engines and sessions and fixed keys, and digests all that
 * crosses between them. What is moved or renamed in the product is followed here and in the files beside this one, and
 * nothing that is recorded may change by it.
 *
 * What is digested does not depend on timing. Owner and server take each other's messages one by one, so that the
 * messages of a pass have one order, row chunks included; but the owner prepares the next pass while one runs, and the dealer
 * deals whenever it has time. So messages are digested by pass and direction, and material as the bytes of each pass.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toBase64Url } from '../../src/handshake/encoding.ts'
import type { Kernels, ProductDevice } from '../../src/kernels/kernels.ts'
import { createNodeProductDevice } from '../../src/kernels/node/device.ts'
import { createNodeKernels } from '../../src/kernels/node/kernels.ts'
import { createCpuProductDevice } from '../../src/kernels/wasm/device.ts'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { loadPublic, type PublicModel } from '../../src/model/files/bundle.ts'
import { readCatalog } from '../../src/model/files/catalog.ts'
import { PUBLIC_METADATA } from '../../src/protections/shared/custody/public-metadata.ts'
import { PlanDealer } from '../../src/protections/shared/dealer/engine.ts'
import { PlanServer } from '../../src/protections/shared/server/engine.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { OwnerSession } from '../../src/protections/shared/session/owner-session.ts'
import { ownerWeights } from '../../src/protections/shared/session/owner-weights.ts'
import type { Link } from '../../src/transport/link.ts'
import { DealtMaterial } from '../support/protocol/dealt-material.ts'
import { memoryPair } from '../support/transport/memory.ts'
import type { Case, Session } from './cases.ts'
import { digestOfFloats, Messages, Stream, sha256 } from './digest.ts'
import { FixedRandom, fixedKey } from './fixed-random.ts'
import { inputsOf } from './inputs.ts'
import { digestsOf, rewrite, split } from './prepare.ts'

/** Of one pass: what each party said of it, and what came of it. */
export interface PassTranscript {
  /** What the owner asked the dealer for, in hex. */
  readonly request: string
  readonly ownerToServer: string
  readonly serverToOwner: string
  readonly dealerToServer: string
  /** None of a pass that was prepared and given up. */
  readonly released?: string
  /** What the owner makes of it: the likeliest token or label. */
  readonly likeliest?: number
  readonly hops?: number
}

export interface Transcript {
  readonly modelHash: string
  readonly planHash: string
  /** SHA-256 of the files that the case begins with, and of the same bundle written again or split. */
  readonly files: Readonly<Record<string, string>>
  readonly written: Readonly<Record<string, string>>
  /** What the server registers at the dealer. */
  readonly registration: { readonly header: string; readonly weights: string }
  /** By session and pass. */
  readonly passes: Readonly<Record<string, PassTranscript>>
}

/** Which kernels compute for whom. */
export interface Backends {
  readonly owner: 'node' | 'wasm'
  readonly others: 'node' | 'wasm'
}

/** As in production with a page: the owner's kernels are a browser's. */
const usualBackends: Backends = { owner: 'wasm', others: 'node' }

const kernels: Readonly<Record<'node' | 'wasm', Kernels>> = {
  node: createNodeKernels(),
  wasm: createWasmKernels(),
}
const CACHE_BYTES = 1 << 25
const makeDevice: Readonly<Record<'node' | 'wasm', () => ProductDevice>> = {
  node: () => createNodeProductDevice(kernels.node, { cacheBytes: CACHE_BYTES }),
  wasm: () => createCpuProductDevice(kernels.wasm, { cacheBytes: CACHE_BYTES }),
}

const models = fileURLToPath(new URL('../../models', import.meta.url))

/** Fields that a split model makes public: one digest for all models. */
export const publicMetadata = (): string => sha256(new TextEncoder().encode(PUBLIC_METADATA.join('\n')))

let before: Promise<unknown> = Promise.resolve()

/** One at a time, also where nobody waits for the one before any more: all draw from the same generator. */
export function transcribe(one: Case, backends = usualBackends): Promise<Transcript> {
  const made = before.then(() => transcribeAlone(one, backends))
  before = made.catch(() => undefined)
  return made
}

async function transcribeAlone(one: Case, backends: Backends): Promise<Transcript> {
  const random = FixedRandom.install('dealer')
  const scratch = mkdtempSync(join(tmpdir(), 'sotto-transcript-'))
  const dir = join(models, one.model)
  try {
    const { bundle, written, opener, splitBundles } = one.isSplit
      ? await split(dir, scratch, random)
      : await rewrite(dir, scratch)
    const catalog = await readCatalog(bundle)
    const server = await random.as('server', () =>
      PlanServer.load(kernels[backends.others], catalog, undefined, opener),
    )
    const dealer = new PlanDealer(
      kernels[backends.others],
      splitBundles,
      opener && toBase64Url(opener.publicKey),
    )
    const [{ modelHash, planHash }] = server.models()
    const registration = await register(server, dealer, modelHash)
    const model = await loadPublic(
      async (name) => new Response(new Uint8Array(readFileSync(join(bundle, name)))),
    )
    const parties: Parties = { server, dealer, model, modelHash, backends, random }
    const passes: Record<string, PassTranscript> = {}
    for (const [name, session] of Object.entries(one.sessions))
      for (const [pass, transcript] of await runSession(parties, session))
        passes[`${name}, pass ${pass}`] = transcript
    dealer.close()
    return { modelHash, planHash, files: digestsOf(dir), written, registration, passes }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function register(
  server: PlanServer,
  dealer: PlanDealer,
  modelHash: string,
): Promise<Transcript['registration']> {
  const { header, tensors } = server.registration(modelHash)
  const weights = new Messages()
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const tensor of tensors) {
      weights.add(tensor)
      yield tensor
    }
  }
  await dealer.registerModel(modelHash, header, watched())
  return { header: sha256(header), weights: String(weights) }
}

interface Parties {
  readonly server: PlanServer
  readonly dealer: PlanDealer
  /** What the owner has of the model. */
  readonly model: PublicModel
  readonly modelHash: string
  readonly backends: Backends
  readonly random: FixedRandom
}

/** What was said of one pass so far. */
interface Heard {
  request: string
  readonly owner: Messages
  readonly server: Messages
  readonly dealer: Stream
  result?: Pick<PassTranscript, 'released' | 'likeliest' | 'hops'>
}

/** Resolves with a transcript of every pass that was begun, in order. */
async function runSession(parties: Parties, o: Session): Promise<[number, PassTranscript][]> {
  const { server, dealer, model, modelHash, backends, random } = parties
  const heard = new Map<number, Heard>()
  const of = (pass: number): Heard => {
    const known = heard.get(pass)
    if (known) return known
    const made = { request: '', owner: new Messages(), server: new Messages(), dealer: new Stream() }
    heard.set(pass, made)
    return made
  }
  const [own, other] = memoryPair()
  const material = new DealtMaterial()
  // Not the one that was asked for last: that may be the next one, prepared meanwhile.
  let answered = 0
  const hearServer = (pass: number, bytes: Uint8Array): void => {
    answered = pass
    of(pass).server.add(bytes)
  }
  const served = server.open(modelHash, watch(other, hearServer), material, 'owner')
  // An owner would wait for ever for a server that has failed.
  served.catch((error) => own.close(String(error)))
  const seed = fixedKey('seed of owner and dealer')
  const dealt = dealer.open(modelHash, seed.slice())
  let dealing: Promise<void> = Promise.resolve()
  const requestPass = async (pass: number, body: Uint8Array): Promise<void> => {
    of(pass).request = Buffer.from(body).toString('hex')
    const request = body.slice()
    dealing = dealing.then(() =>
      dealt.deal(request, async (chunk) => {
        of(pass).dealer.add(chunk)
        material.put(pass, chunk)
      }),
    )
    dealing.catch((error) => own.close(String(error)))
  }
  const plans = modelPlans(model.manifest)
  const fSeed = server.fSeed(modelHash)
  const seeds = { server: fSeed, dealer: dealer.splitSeed(modelHash) }
  const link = watch(own, (pass, bytes) => of(pass).owner.add(bytes))
  const owner = await random.as(
    'owner',
    () =>
      new OwnerSession({
        plans,
        kernels: kernels[backends.owner],
        device: makeDevice[backends.owner](),
        link: o.isFetch ? { ...link, kind: 'fetch' } : link,
        seed,
        stationarySeed: fSeed,
        clear: ownerWeights(kernels[backends.owner], plans, model.tensors, seeds),
        isNear: o.isNear,
        aheadBytes: o.aheadBytes,
        requestPass,
      }),
  )
  const input = inputsOf(model, plans)
  let likeliest = 0
  for (const pass of o.passes) {
    const before = owner.totals.hops
    const { base, rows, padding, next, logits } = input(pass, likeliest)
    const released = await owner.run(base, rows, { padding, next })
    const values = logits(released)
    likeliest = values.indexOf(Math.max(...values))
    const hops = owner.totals.hops - before
    of(answered).result = { released: digestOfFloats(released), likeliest, hops }
  }
  await dealing
  await own.close()
  await served.catch(() => undefined)
  dealt.close()
  return [...heard].map(([pass, h]) => [
    pass,
    {
      request: h.request,
      ownerToServer: String(h.owner),
      serverToOwner: String(h.server),
      dealerToServer: String(h.dealer),
      ...h.result,
    },
  ])
}

/** A link whose sent messages are heard. Messages of a pass begin with a byte of kind and u32le of the pass. */
function watch(link: Link, hear: (pass: number, bytes: Uint8Array) => void): Link {
  return {
    kind: link.kind,
    traffic: link.traffic,
    receive: () => link.receive(),
    close: (reason) => link.close(reason),
    send: (bytes, reply) => {
      hear(new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true), bytes)
      return link.send(bytes, reply)
    },
  }
}
