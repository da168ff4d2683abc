/** A whole session in one process: the real owner, server and dealer sessions over an in-process link that is watched. */
import type { Kernels } from '../../../src/kernels/kernels.ts'
import { createCpuProductDevice } from '../../../src/kernels/wasm/device.ts'
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import { piecesOf, withPieces } from '../../../src/protections/shared/local/pieces.ts'
import { deriveKey } from '../../../src/protections/shared/prg.ts'
import { auditorOf } from '../../../src/protections/shared/server/auditor.ts'
import { SessionDealer } from '../../../src/protections/shared/session/dealer-passes.ts'
import { ModelPlans } from '../../../src/protections/shared/session/model-plan.ts'
import { OwnerSession } from '../../../src/protections/shared/session/owner-session.ts'
import type { OwnerSetup } from '../../../src/protections/shared/session/owner-setup.ts'
import { ServerSession } from '../../../src/protections/shared/session/server-session.ts'
import type { Role } from '../../../src/protections/shared/values.ts'
import { loadWeights } from '../../../src/protections/shared/weights/held.ts'
import { difference } from '../../../src/protections/shared/weights/stationary.ts'
import type { Link } from '../../../src/transport/link.ts'
import { memoryPair } from '../transport/memory.ts'
import { DealtMaterial } from './dealt-material.ts'
import { splitSeeds } from './local-keys.ts'
import type { AnyTiny } from './models.ts'

/** What a session's weights are loaded into: kernels that watch its parties are laid over these. */
export const sessionKernels = createWasmKernels()
const kernels = sessionKernels
/** What each of the three computes with. */
export type PartyKernels = Record<Role | 'dealer', Kernels>

/** One message as it crossed the link between owner and server. */
export interface Seen {
  readonly from: Role
  readonly bytes: Uint8Array
}

export interface SessionKeys {
  /** The seed that owner and dealer agreed on. */
  readonly seed: Uint8Array
  readonly stationary: Uint8Array
  /** The server's mask key of each pass; the dealer's own choice where left out. */
  passKey?(): Uint8Array<ArrayBuffer>
}

export const fixedKeys = (n: number): Required<SessionKeys> => {
  let pass = 0
  return {
    seed: new Uint8Array(32).fill(n, 0, 16).fill(1, 16),
    stationary: new Uint8Array(32).fill(n, 0, 16).fill(2, 16),
    passKey: () =>
      new Uint8Array(32)
        .fill(n, 0, 16)
        .fill(++pass, 16)
        .fill(pass >> 8, 24),
  }
}

export class WatchedSession {
  readonly owner: OwnerSession
  readonly plans: ModelPlans
  /** All messages of the link, in order. */
  readonly wire: Seen[] = []
  /** What the dealer was asked, and what it streamed to the server, pass by pass. */
  readonly requests: Uint8Array[] = []
  readonly dealt: Uint8Array[][] = []
  readonly dealer: SessionDealer
  readonly link: Link
  readonly material = new DealtMaterial()
  /** Rejects with what ended the server's side. */
  readonly server: Promise<void>
  /** Called before a message is handed over; may resolve with other bytes to hand over instead. */
  onMessage: (seen: Seen) => Promise<Uint8Array | undefined> | Uint8Array | undefined = () => undefined
  /** Called for each chunk of a pass: what it returns is what the server gets. */
  onDealt: (pass: number, chunk: Uint8Array) => Uint8Array = (_, chunk) => chunk
  #dealing: Promise<void> = Promise.resolve()

  constructor(
    model: AnyTiny,
    keys: SessionKeys,
    changes: Partial<OwnerSetup> = {},
    at: PartyKernels = { owner: kernels, server: kernels, dealer: kernels },
  ) {
    const { tensors } = model
    this.plans = new ModelPlans(model.model)
    const [own, other] = memoryPair()
    this.link = own
    const stationaryKey = deriveKey(kernels, keys.stationary, 'stationary')
    const clear = loadWeights(kernels, this.plans.model.encode(tensors, ['public', 'private']))
    const differences = new Map(
      this.plans.privateWeights().map((use, i) => {
        const w = clear.weights.get(use.name)
        if (!w) throw new Error(use.name)
        return [use.name, kernels.load(difference(kernels, stationaryKey, i, use, w), use.k, use.n)]
      }),
    )
    const pieces = piecesOf(kernels, this.plans.anyPlan, clear, splitSeeds())
    for (const [name, matrix] of pieces.dealer) differences.set(name, matrix)
    this.dealer = new SessionDealer(this.plans, at.dealer, differences, keys.seed, keys.passKey)
    const known = loadWeights(kernels, this.plans.model.encode(tensors, ['public']))
    this.server = new ServerSession(
      this.plans,
      at.server,
      { ...clear, ...withPieces(clear, pieces.server) },
      this.#watched(other, 'server'),
      this.material,
      {
        auditor: this.plans.isSplit
          ? undefined
          : auditorOf(at.server, this.plans, clear.weights, stationaryKey, async () => new Uint8Array(64)),
      },
    ).run()
    this.server.catch(() => other.close('The server gave up.'))
    this.owner = new OwnerSession({
      plans: this.plans,
      kernels: at.owner,
      device: createCpuProductDevice(at.owner, { cacheBytes: 1 << 22 }),
      link: this.#watched(own, 'owner'),
      ...changes,
      seed: keys.seed,
      stationarySeed: keys.stationary,
      clear: { ...known, ...withPieces(known, pieces.owner) },
      requestPass: (pass, body) => {
        this.requests.push(body.slice())
        const chunks: Uint8Array[] = []
        this.dealt.push(chunks)
        const done = this.#dealing.then(() =>
          this.dealer.deal(body, async (chunk) => {
            const dealt = this.onDealt(pass, chunk.slice())
            chunks.push(dealt)
            this.material.put(pass, dealt)
          }),
        )
        this.#dealing = done.catch(() => undefined)
        return done
      },
    })
  }

  #watched(link: Link, from: Role): Link {
    return {
      kind: link.kind,
      traffic: link.traffic,
      receive: () => link.receive(),
      close: (reason) => link.close(reason),
      send: async (bytes, reply) => {
        const seen = { from, bytes: bytes.slice() }
        this.wire.push(seen)
        return link.send((await this.onMessage(seen)) ?? bytes, reply)
      },
    }
  }
}
