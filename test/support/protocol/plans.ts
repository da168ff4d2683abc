/** Hand-made plans run by owner, server and dealer with chosen or random masks: for tests of single operations. */

import { widened } from '../../../src/kernels/lanes.ts'
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import { RowCache } from '../../../src/protections/shared/cache.ts'
import { maskLanes } from '../../../src/protections/shared/correlations/keystreams.ts'
import { PackedCorrections } from '../../../src/protections/shared/correlations/packed.ts'
import { SeededCorrelations } from '../../../src/protections/shared/correlations/seeded.ts'
import { stepDealtBytes } from '../../../src/protections/shared/cost.ts'
import { exchange } from '../../../src/protections/shared/local/exchange.ts'
import { withPieces } from '../../../src/protections/shared/local/pieces.ts'
import { publicOf } from '../../../src/protections/shared/ops/parts/public-of.ts'
import { type Plan, PlanBuilder } from '../../../src/protections/shared/plan.ts'
import { Prg } from '../../../src/protections/shared/prg.ts'
import { add, type Lanes, maskOf, sub } from '../../../src/protections/shared/ring.ts'
import { DealerPass } from '../../../src/protections/shared/runners/dealer.ts'
import { OraclePass } from '../../../src/protections/shared/runners/oracle.ts'
import { PartyPass } from '../../../src/protections/shared/runners/party.ts'
import { fraction, UNSCALED } from '../../../src/protections/shared/scale.ts'
import { schedule } from '../../../src/protections/shared/schedule.ts'
import type { Layout, Shape } from '../../../src/protections/shared/shape.ts'
import { wireBytes } from '../../../src/protections/shared/step.ts'
import {
  type Role,
  type Share,
  share,
  type UnderMask,
  type Value,
} from '../../../src/protections/shared/values.ts'
import { ChosenKeystreams } from './prg.ts'
import { biasName, lanesOf, trialWeights, type Values } from './weights.ts'

const wasm = createWasmKernels()

export interface GivenType {
  readonly ring: number
  readonly width: number
  readonly frac?: number
  readonly layout?: Layout
}
/** Shares of chosen values. */
export type Given = (values: Values, type: GivenType) => Share

export interface TrialOptions {
  readonly shape?: Shape
  /** Names the random masks and shares. */
  readonly seed?: number
  /** Whole masks, where a test wants particular ones. */
  mask?(value: UnderMask): Lanes | undefined
  /** Owner's shares of given values, likewise, by their order. */
  readonly ownerShares?: readonly Values[]
  /** For plans that begin with an input step of their own. */
  readonly input?: Values
  /** Rows that are padding. */
  readonly padding?: Uint8Array
  /** Private and public weights alike, k x n row-major. */
  readonly weights?: Readonly<Record<string, Values>>
  readonly biases?: Readonly<Record<string, Values>>
  /** What earlier trials with other serials have cached. */
  readonly caches?: TrialCaches
  /** Parties forget each value after its last use: only the plan's last one can be looked at. */
  readonly forgets?: boolean
}

export type TrialCaches = Record<'owner' | 'server' | 'dealer' | 'oracle', RowCache>
export const trialCaches = (context = 64): TrialCaches => {
  const cache = (): RowCache => new RowCache(context)
  return { owner: cache(), server: cache(), dealer: cache(), oracle: cache() }
}

/** What all roles made of a small plan. */
export class Trial {
  readonly plan: Plan
  readonly owner: PartyPass
  readonly server: PartyPass
  readonly oracle: OraclePass
  readonly dealt = new Map<number, Uint8Array>()
  readonly #shape: Shape

  constructor(build: (plan: PlanBuilder, given: Given) => void, o: TrialOptions = {}) {
    const shape = o.shape ?? { base: 0, rows: 1, serial: 0 }
    this.#shape = shape
    const caches = o.caches ?? trialCaches()
    const chosen = new ChosenKeystreams(wasm)
    const { kernels } = chosen
    const keys = [1, 2, 3, 4].map((tag) => new Uint8Array(32).fill(o.seed ?? 1).fill(tag, 24))
    const [owner, server, secret, noise] = keys.map((key) => new Prg(kernels, key))
    this.plan = this.#build(build, o, noise)
    const { plan } = this
    for (const { out } of plan.steps) {
      if (out.kind !== 'opened' && out.kind !== 'masked') continue
      const want = o.mask?.(out)
      if (!want) continue
      const theirs = out.kind === 'opened' ? maskLanes(server, shape, out) : new BigUint64Array(want.length)
      const own = sub(want, theirs, out.kind === 'opened' ? out.maskRing : out.ring)
      chosen.choose(keys[0], (prg) => maskLanes(prg, shape, out), own)
    }
    const { weights, differences, stationary, ...pieces } = trialWeights(
      kernels,
      plan,
      shape,
      { owner, noise },
      o.weights ?? {},
    )
    const packed = new PackedCorrections(kernels, shape)
    const dealer = new DealerPass(plan, shape, { kernels, owner, server, differences, cache: caches.dealer })
    for (const { step, bytes } of dealer.deal()) {
      packed.put(step, bytes)
      this.dealt.set(step.id, bytes)
    }
    const biases = new Map(Object.entries(o.biases ?? {}).map(([name, v]) => [name, lanesOf(v, 64)]))
    for (const { name } of plan.splitBiases) biases.set(name, lanesOf(o.weights?.[biasName(name)] ?? [], 64))
    const s = schedule(plan)
    const { padding, forgets } = o
    const common = { kernels, weights, biases, input: lanesOf(o.input ?? [], 64), padding, forgets }
    const held = (role: Role) => withPieces(common, pieces[role])
    this.owner = new PartyPass(plan, s, shape, {
      ...common,
      ...held('owner'),
      role: 'owner',
      masks: owner,
      correlations: new SeededCorrelations(owner, shape),
      cache: caches.owner,
      secret,
      stationary,
    })
    this.server = new PartyPass(plan, s, shape, {
      ...common,
      ...held('server'),
      role: 'server',
      masks: server,
      correlations: packed,
      cache: caches.server,
    })
    exchange(s, { owner: this.owner, server: this.server })
    this.oracle = new OraclePass(plan, shape, {
      ...common,
      cache: caches.oracle,
      ownerShare: (value) => this.owner.get(value),
      mask: (value) => dealer.mask(value),
      serverMask: (value) => dealer.serverMask(value),
    })
    this.oracle.run()
  }

  /** What the parties' results add up to. */
  total(value: Value): Lanes {
    const [own, other] = [widened(this.owner.get(value)), widened(this.server.get(value))]
    if (value.kind === 'share') return add(own, other, value.ring)
    return value.kind === 'masked' ? add(other, this.owner.mask(value), value.ring) : own
  }

  /** What the results add up to, as signed integers. */
  integers(value: Value): bigint[] {
    return Array.from(this.total(value), (v) => BigInt.asIntN(value.ring, v))
  }

  reals(value: Value): number[] {
    return this.integers(value).map((v) => Number(v) / 2 ** value.scale.bits)
  }

  /** Everything in which the parties differ from the plain view, and bytes that are not the declared ones. */
  get complaints(): string[] {
    const out: string[] = this.oracle.violations.map((v) => `${v.op}: ${v.what}`)
    for (const step of this.plan.steps) {
      const { op, id, wire, half, out: value } = step
      const want = value.kind === 'opened' ? publicOf(this.oracle, value) : widened(this.oracle.result(id))
      const differs = (got: Lanes, what: string): void => {
        const bad = want.findIndex((v, i) => (v & maskOf(value.ring)) !== got[i])
        if (bad >= 0 || got.length !== want.length)
          out.push(`${op} ${id}: ${what} ${got[bad]} at ${bad} where ${want[bad]} was due`)
      }
      differs(this.total(value), value.kind)
      if (value.kind === 'opened') differs(widened(this.server.get(value)), 'at the server')
      const declared = stepDealtBytes(this.#shape, step)
      const dealt = this.dealt.get(id)?.length ?? 0
      if (dealt !== declared) out.push(`${op} ${id}: ${dealt} bytes dealt, ${declared} declared`)
      for (const party of [this.owner, this.server]) {
        if (!wire || !half || (wire.from !== 'both' && wire.from !== party.role)) continue
        const sent = half.call(step, party).length
        if (sent !== wireBytes(this.#shape, wire)) out.push(`${op} ${id}: ${sent} bytes sent`)
      }
    }
    return out
  }

  #build(build: (plan: PlanBuilder, given: Given) => void, o: TrialOptions, noise: Prg): Plan {
    const builder = new PlanBuilder()
    // A schedule goes from the owner's input on, so every plan has one.
    const one = share({ layout: 'row', width: 1, ring: 8, scale: UNSCALED })
    const zeros = (): Lanes => new BigUint64Array(this.#shape.rows)
    const views = { half: () => new Uint8Array(this.#shape.rows), run: zeros, oracle: zeros }
    const wire = { from: 'owner' as const, layout: 'row' as const, width: 1, bits: 8 }
    if (!o.input) builder.step<Share>('input', one, [], () => ({ isInput: true, wire, ...views }))
    let givens = 0
    build(builder, (values, { ring, width, frac = 0, layout = 'row' }) =>
      builder.step<Share>('given', share({ layout, width, ring, scale: fraction(frac) }), [], () => {
        const value = lanesOf(values, ring)
        const chosen = o.ownerShares?.[givens]
        const owner = chosen ? lanesOf(chosen, ring) : new BigUint64Array(value.length)
        if (!chosen) noise.fill(givens, 0, ring, owner, 0, value.length)
        givens++
        const server = sub(value, owner, ring)
        return { run: (ctx) => (ctx.role === 'owner' ? owner : server).slice(), oracle: () => value }
      }),
    )
    return builder.finish()
  }
}
