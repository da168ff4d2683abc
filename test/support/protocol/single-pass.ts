/** All parties of a pass in one process, with real shares, real packed messages and a real dealer: for tests and benches. */
import type { Kernels } from '../../../src/kernels/kernels.ts'
import { createCpuProductDevice } from '../../../src/kernels/wasm/device.ts'
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import type { Tensors } from '../../../src/model/architectures/config.ts'
import { RowCache } from '../../../src/protections/shared/cache.ts'
import {
  PackedCorrections,
  SeededCorrelations,
} from '../../../src/protections/shared/correlations/correlations.ts'
import { maskLanes } from '../../../src/protections/shared/correlations/material.ts'
import type { Plan, Role } from '../../../src/protections/shared/plan.ts'
import { Prg, weightMaskStream, weightSumStream } from '../../../src/protections/shared/prg.ts'
import type { CompileOptions, ModelSpec } from '../../../src/protections/shared/profiles/fixed/block.ts'
import { compileModel } from '../../../src/protections/shared/profiles/fixed/compile.ts'
import { type InputType, inputType } from '../../../src/protections/shared/profiles/fixed/input-type.ts'
import { multiplies, shapeOf, spanBitsOf } from '../../../src/protections/shared/profiles/fixed/model.ts'
import type { HeldWeights } from '../../../src/protections/shared/profiles/fixed/split.ts'
import {
  type ClearWeights,
  difference,
  loadWeights,
  privateWeights,
  stationaryNonce,
} from '../../../src/protections/shared/profiles/fixed/weights.ts'
import { add, encode, type Lanes, toFloats } from '../../../src/protections/shared/ring.ts'
import { DealerPass } from '../../../src/protections/shared/runners/dealer.ts'
import { PlainPass, type Violation } from '../../../src/protections/shared/runners/oracle.ts'
import { PartyPass } from '../../../src/protections/shared/runners/party.ts'
import { type Schedule, schedule } from '../../../src/protections/shared/schedule.ts'
import type { Shape } from '../../../src/protections/shared/shape.ts'
import { allPieces, withPieces } from './split.ts'

/** What one pass did. */
export interface PassTrace {
  readonly plan: Plan
  readonly schedule: Schedule
  readonly shape: Shape
  readonly released: Float64Array
  readonly upBytes: number
  readonly downBytes: number
  readonly dealerBytes: number
  readonly owner: PartyPass
  readonly server: PartyPass
  readonly messages: Uint8Array[]
  readonly seconds: { deal: number; offline: number; online: number }
}

const seconds = (): number => performance.now() / 1000

export class LocalParties {
  readonly spec: ModelSpec
  readonly #options: CompileOptions
  readonly #kernels: Kernels
  readonly #clear: ClearWeights
  readonly #publicWeights: ClearWeights
  /** What each party computes with. */
  readonly #held: Record<Role, HeldWeights>
  readonly #keys: { owner: Uint8Array; server: Uint8Array; secret: Uint8Array; stationary: Uint8Array }
  readonly #caches: Record<'owner' | 'server' | 'dealer' | 'plain', RowCache>
  readonly #plans = new Map<number, { plan: Plan; schedule: Schedule }>()
  readonly #differences = new Map<string, ReturnType<Kernels['load']>>()
  readonly #device
  readonly #input: InputType
  #serial = 0

  constructor(
    spec: ModelSpec,
    tensors: Tensors,
    seed = 1,
    kernels = createWasmKernels(),
    options: CompileOptions = {},
  ) {
    this.spec = spec
    this.#options = options
    this.#kernels = kernels
    this.#device = createCpuProductDevice(kernels, { cacheBytes: 1 << 28 })
    const key = (tag: number): Uint8Array => new Uint8Array(32).fill(tag + 10 * seed)
    this.#keys = { owner: key(1), server: key(2), secret: key(3), stationary: key(4) }
    this.#clear = loadWeights(kernels, spec.config, tensors, () => true)
    this.#publicWeights = loadWeights(kernels, spec.config, tensors, (l, r) =>
      multiplies(spec, l, r, 'public'),
    )
    const cache = (): RowCache => new RowCache(spec.config.context)
    this.#caches = { owner: cache(), server: cache(), dealer: cache(), plain: cache() }
    this.#input = inputType(spec)
    const { plan } = this.planFor({ base: 0, rows: 1, serial: 0 })
    privateWeights(plan).forEach((use, i) => {
      const w = this.#clear.encoded.get(use.name)
      if (!w) throw new Error(use.name)
      const b = difference(kernels, this.#keys.stationary, i, use, w)
      this.#differences.set(use.name, kernels.load(b, use.k, use.n))
    })
    const pieces = allPieces(kernels, plan, this.#clear)
    this.#held = {
      owner: withPieces({ weights: this.#publicWeights.weights, biases: new Map() }, pieces.owner),
      server: withPieces(this.#clear, pieces.server),
    }
    for (const [name, matrix] of pieces.dealer) this.#differences.set(name, matrix)
  }

  planFor(shape: Shape): { plan: Plan; schedule: Schedule } {
    const bits = spanBitsOf(shape)
    let known = this.#plans.get(bits)
    if (!known) {
      const plan = compileModel(this.spec, bits, this.#options)
      known = { plan, schedule: schedule(plan) }
      this.#plans.set(bits, known)
    }
    return known
  }

  /** Runs one pass on embedded rows [rows x dim] after `base` cached positions; an encoder's may be padded. */
  async pass(base: number, embeddings: Float64Array, padding?: Uint8Array): Promise<PassTrace> {
    const rows = embeddings.length / this.#input.width
    const shape = shapeOf(this.spec.config, { base, rows, serial: this.#serial })
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
          a: weightMaskStream(use.index),
          c: weightSumStream(use.index),
        }),
      )
      f.free()
    }
    const t2 = seconds()
    const input = encode(embeddings, this.#input.ring, this.#input.frac)
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
      released: toFloats(owner.result(out.step), out.ring, out.frac),
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
  oracle(trace: PassTrace): { pass: PlainPass; violations: Violation[] } {
    const k = this.#kernels
    const { plan, shape } = trace
    const pass = new PlainPass(plan, shape, {
      kernels: k,
      weights: this.#clear.weights,
      biases: this.#clear.biases,
      cache: this.#caches.plain,
      input: trace.owner.input(),
      padding: trace.owner.padding(),
      ownerShare: (value) => trace.owner.get(value),
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

/** Runs both parties of a pass to its end in one process; returns the messages that crossed, by index. */
export function exchange(order: Schedule, parties: Record<'owner' | 'server', PartyPass>): Uint8Array[] {
  const messages: Uint8Array[] = []
  const at = { owner: 0, server: 0 }
  /** Runs a party until it has sent message `until`, or has nothing left. */
  const run = (role: 'owner' | 'server', until: number): void => {
    const program = order.programs[role]
    while (at[role] < program.length) {
      const i = program[at[role]++]
      if (i.kind === 'run') parties[role].runStep(i.step.id)
      else if (i.kind === 'receive') parties[role].accept(i.message, messages[i.message])
      else {
        messages[i.message] = parties[role].compose(i.message)
        if (i.message === until) return
      }
    }
  }
  order.messages.forEach((m, i) => {
    run(m.from, i)
  })
  run('owner', -1)
  run('server', -1)
  return messages
}
