/**
 * All parties in one process, with real shares, real packed messages and a real dealer: what evaluation, benches and tests
 * run on. Whoever runs it holds both sides, so it may look at what no single party could.
 */
import type { Kernels } from '../../../kernels/kernels.ts'
import { createCpuProductDevice } from '../../../kernels/wasm/device.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import type { Tensors } from '../../../model/architectures/config.ts'
import { RowCache } from '../cache.ts'
import { maskLanes } from '../correlations/keystreams.ts'
import { PackedCorrections } from '../correlations/packed.ts'
import { SeededCorrelations } from '../correlations/seeded.ts'
import type { Plan } from '../plan.ts'
import { Prg } from '../prg.ts'
import { encodeInput } from '../profiles/input-type.ts'
import type { PlanOptions, ProfiledModel } from '../profiles/profile.ts'
import { add, type Lanes, toFloats } from '../ring.ts'
import { DealerPass } from '../runners/dealer.ts'
import { OraclePass, type Violation } from '../runners/oracle.ts'
import { PartyPass } from '../runners/party.ts'
import { type Schedule, schedule } from '../schedule.ts'
import type { Shape } from '../shape.ts'
import type { Role } from '../values.ts'
import { type HeldWeights, loadWeights } from '../weights/held.ts'
import { difference, privateWeights, productStreams, stationaryNonce } from '../weights/stationary.ts'
import { exchange } from './exchange.ts'
import { type LocalKeys, randomKeys } from './keys.ts'
import { piecesOf, withPieces } from './pieces.ts'

/** What one pass did. */
export interface PassTrace {
  readonly plan: Plan
  readonly schedule: Schedule
  readonly shape: Shape
  /** What the owner gets, as real numbers. */
  readonly released: Float64Array
  /** Payload from owner to server, from server to owner, and from the dealer to the server. */
  readonly upBytes: number
  readonly downBytes: number
  readonly dealerBytes: number
  readonly owner: PartyPass
  readonly server: PartyPass
  /** In the schedule's order. */
  readonly messages: Uint8Array[]
  readonly seconds: { deal: number; offline: number; online: number }
}

const seconds = (): number => performance.now() / 1000

/** With what a local run computes. */
export interface LocalOptions {
  /** WebAssembly's where nothing else is said. */
  readonly kernels?: Kernels
  /** New random ones where nothing else is said. */
  readonly keys?: LocalKeys
  readonly compile?: PlanOptions
}

/**
 * Owner, server and dealer of one model. Passes follow one another as in a conversation, each with masks of its
 * own.
 */
export class LocalParties {
  readonly model: ProfiledModel
  readonly #options: PlanOptions
  readonly #kernels: Kernels
  readonly #clear: HeldWeights
  readonly #publicWeights: HeldWeights
  /** What each party computes with. */
  readonly #held: Record<Role, HeldWeights>
  readonly #keys: LocalKeys
  readonly #caches: Record<'owner' | 'server' | 'dealer' | 'oracle', RowCache>
  readonly #plans = new Map<string, { plan: Plan; schedule: Schedule }>()
  readonly #differences = new Map<string, ReturnType<Kernels['load']>>()
  readonly #device
  #serial = 0

  /** Throws when a tensor is missing, or where the model does not fit its rings: see its profile. */
  constructor(model: ProfiledModel, tensors: Tensors, options: LocalOptions = {}) {
    const { kernels = createWasmKernels(), keys = randomKeys(), compile = {} } = options
    this.model = model
    this.#options = { goal: 'hops', ...compile }
    this.#kernels = kernels
    this.#device = createCpuProductDevice(kernels, { cacheBytes: 1 << 28 })
    this.#keys = keys
    this.#clear = loadWeights(kernels, model.encode(tensors, ['public', 'private']))
    this.#publicWeights = loadWeights(kernels, model.encode(tensors, ['public']))
    const cache = (): RowCache => new RowCache(model.config.context)
    this.#caches = { owner: cache(), server: cache(), dealer: cache(), oracle: cache() }
    const { plan } = this.planFor({ base: 0, rows: 1, serial: 0 })
    privateWeights(plan).forEach((use, i) => {
      const w = this.#clear.weights.get(use.name)
      if (!w) throw new Error(use.name)
      const b = difference(kernels, this.#keys.stationary, i, use, w)
      this.#differences.set(use.name, kernels.load(b, use.k, use.n))
    })
    const pieces = piecesOf(kernels, plan, this.#clear, keys.split)
    this.#held = {
      owner: withPieces({ weights: this.#publicWeights.weights, biases: new Map() }, pieces.owner),
      server: withPieces(this.#clear, pieces.server),
    }
    for (const [name, matrix] of pieces.dealer) this.#differences.set(name, matrix)
  }

  /** The plan of a pass, compiled when first asked for, and its schedule. Throws what the profile does. */
  planFor(shape: Shape): { plan: Plan; schedule: Schedule } {
    const { key, compile } = this.model.variant(shape, this.#options)
    let known = this.#plans.get(key)
    if (!known) {
      const plan = compile()
      known = { plan, schedule: schedule(plan) }
      this.#plans.set(key, known)
    }
    return known
  }

  /** Runs one pass on embedded rows [rows x dim] after `base` cached positions; an encoder's may be padded. */
  async pass(base: number, embeddings: Float64Array, padding?: Uint8Array): Promise<PassTrace> {
    const rows = embeddings.length / this.model.input.width
    const shape = this.model.shapeOf({ base, rows, serial: this.#serial })
    this.#serial += rows
    const { plan, schedule: s } = this.planFor(shape)
    const k = this.#kernels
    const prg = (key: Uint8Array): Prg => new Prg(k, key)
    const t0 = seconds()
    const packed = new PackedCorrections(k, shape)
    let dealerBytes = 0
    const dealer = new DealerPass(plan, shape, {
      kernels: k,
      owner: prg(this.#keys.owner),
      server: prg(this.#keys.server),
      differences: this.#differences,
      cache: this.#caches.dealer,
    })
    for (const { step, bytes } of dealer.deal()) {
      packed.put(step, bytes)
      dealerBytes += bytes.length
    }
    const t1 = seconds()
    const stationary = new Map<string, Lanes>()
    for (const [i, use] of privateWeights(plan).entries()) {
      const f = await this.#device.stationary({
        key: this.#keys.stationary,
        nonce: stationaryNonce(i),
        k: use.k,
        n: use.n,
        bits: use.ring,
      })
      stationary.set(
        use.name,
        await this.#device.product(f, {
          key: this.#keys.owner,
          firstSerial: BigInt(shape.serial),
          rows,
          ...productStreams(use),
        }),
      )
      f.free()
    }
    const t2 = seconds()
    const input = encodeInput(this.model.input, embeddings)
    const owner = new PartyPass(plan, s, shape, {
      role: 'owner',
      kernels: k,
      masks: prg(this.#keys.owner),
      correlations: new SeededCorrelations(prg(this.#keys.owner), shape),
      cache: this.#caches.owner,
      ...this.#held.owner,
      secret: prg(this.#keys.secret),
      input,
      padding,
      stationary,
    })
    const server = new PartyPass(plan, s, shape, {
      role: 'server',
      kernels: k,
      masks: prg(this.#keys.server),
      correlations: packed,
      cache: this.#caches.server,
      ...this.#held.server,
    })
    const messages = exchange(s, { owner, server })
    const t3 = seconds()
    const out = plan.steps[plan.steps.length - 1].out
    const sum = (from: string): number =>
      messages.reduce((n, m, i) => n + (s.messages[i].from === from ? m.length : 0), 0)
    return {
      plan,
      schedule: s,
      shape,
      released: toFloats(owner.result(out.step), out.ring, out.scale.bits),
      upBytes: sum('owner'),
      downBytes: sum('server'),
      dealerBytes,
      owner,
      server,
      messages,
      seconds: { deal: t1 - t0, offline: t2 - t1, online: t3 - t2 },
    }
  }

  /** The oracle's run of a pass, given the owner's shares of truncated values and the masks. */
  oracle(trace: PassTrace): { pass: OraclePass; violations: Violation[] } {
    const k = this.#kernels
    const { plan, shape } = trace
    const pass = new OraclePass(plan, shape, {
      kernels: k,
      weights: this.#clear.weights,
      biases: this.#clear.biases,
      cache: this.#caches.oracle,
      input: trace.owner.input(),
      padding: trace.owner.padding(),
      ownerShare: (value) => trace.owner.get(value),
      serverMask: (value) => maskLanes(new Prg(k, this.#keys.server), shape, value),
      mask: (value) =>
        add(
          maskLanes(new Prg(k, this.#keys.owner), shape, value),
          maskLanes(new Prg(k, this.#keys.server), shape, value),
          value.maskRing,
        ),
    })
    pass.run()
    return { pass, violations: pass.violations }
  }
}
