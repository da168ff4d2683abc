/** A single operation as a plan of its own, run by dealer, owner and server in one process. */
import { createNodeProductDevice } from '../src/kernels/node/device.ts'
import { createNodeKernels } from '../src/kernels/node/kernels.ts'
import { RowCache } from '../src/protections/shared/cache.ts'
import { PackedCorrections } from '../src/protections/shared/correlations/packed.ts'
import { SeededCorrelations } from '../src/protections/shared/correlations/seeded.ts'
import { exchange } from '../src/protections/shared/local/exchange.ts'
import type { Plan, PlanBuilder } from '../src/protections/shared/plan.ts'
import { Prg, weightMaskStream, weightSumStream } from '../src/protections/shared/prg.ts'
import { add, encode, type Lanes, sub, toFloats } from '../src/protections/shared/ring.ts'
import { DealerPass } from '../src/protections/shared/runners/dealer.ts'
import { PartyPass } from '../src/protections/shared/runners/party.ts'
import { schedule } from '../src/protections/shared/schedule.ts'
import type { Shape } from '../src/protections/shared/shape.ts'
import { type Share, type ShareType, share } from '../src/protections/shared/values.ts'
import { difference, privateWeights, stationaryNonce } from '../src/protections/shared/weights/stationary.ts'
import { errors } from './expected.ts'
import type { Result } from './result.ts'

export const kernels = createNodeKernels()
const device = createNodeProductDevice(kernels, { cacheBytes: 1 << 28 })
const key = (tag: number): Uint8Array => new Uint8Array(32).fill(tag)
const prg = (tag: number): Prg => new Prg(kernels, key(tag))

export interface OpRun {
  readonly hops: number
  readonly upBytes: number
  readonly downBytes: number
  readonly dealerBytes: number
  readonly onlineSeconds: number
  readonly offlineSeconds: number
  /** A share's value, or a public one, put together again. */
  value(of: Share): Float64Array
}

/** A value that owner and server share already when the operation begins. */
export function given(plan: PlanBuilder, values: Float64Array, type: ShareType): Share {
  const whole = encode(values, type.ring, type.scale.bits)
  const own = new BigUint64Array(whole.length)
  prg(9).fill(plan.steps.length, 0, type.ring, own, 0, own.length)
  const rest = sub(whole, own, type.ring)
  return plan.step<Share>('input', share(type), [], () => ({
    isInput: true,
    run: (ctx) => (ctx.role === 'owner' ? own : rest),
    oracle: () => whole,
  }))
}

/** A case's figures; everything ran in one process, so seconds are those of all parties together. */
export const toResult = (
  name: string,
  run: Omit<OpRun, 'value'>,
  got: Float64Array,
  want: Float64Array,
): Result => ({
  case: name,
  hops: run.hops,
  ownerUpBytes: run.upBytes,
  ownerDownBytes: run.downBytes,
  dealerBytes: run.dealerBytes,
  onlineSeconds: run.onlineSeconds,
  offlineSeconds: run.offlineSeconds,
  ...errors(got, want),
  processes: 1,
})

/** Runs a plan on `rows` rows after `base`; `weights` are encoded integers by name. */
export async function runOp(
  plan: Plan,
  { rows, base = 0 }: { rows: number; base?: number },
  weights: ReadonlyMap<string, Int16Array> = new Map(),
): Promise<OpRun> {
  const shape: Shape = { base, rows, serial: 0 }
  const order = schedule(plan)
  const uses = privateWeights(plan)
  const matrices = new Map(plan.weights.map((u) => [u.name, kernels.load(weights.get(u.name)!, u.k, u.n)]))
  const differences = new Map(
    uses.map((u, i) => [
      u.name,
      kernels.load(difference(kernels, key(4), i, u, matrices.get(u.name)!), u.k, u.n),
    ]),
  )
  const loaded = await Promise.all(
    uses.map(({ k, n, ring }, i) =>
      device.stationary({ key: key(4), nonce: stationaryNonce(i), k, n, bits: ring }),
    ),
  )

  const started = performance.now()
  const packed = new PackedCorrections(kernels, shape)
  const cache = () => new RowCache(base + rows)
  const dealer = new DealerPass(plan, shape, {
    kernels,
    owner: prg(1),
    server: prg(2),
    differences,
    cache: cache(),
  })
  let dealerBytes = 0
  for (const { step, bytes } of dealer.deal()) {
    packed.put(step, bytes)
    dealerBytes += bytes.length
  }
  const stationary = new Map<string, Lanes>()
  for (const [i, { name, index }] of uses.entries()) {
    const [a, c] = [weightMaskStream(index), weightSumStream(index)]
    stationary.set(name, await device.product(loaded[i], { key: key(1), firstSerial: 0n, rows, a, c }))
  }
  const dealt = performance.now()
  const common = { kernels, biases: new Map() }
  const parties = {
    owner: new PartyPass(plan, order, shape, {
      ...common,
      role: 'owner',
      masks: prg(1),
      correlations: new SeededCorrelations(prg(1), shape),
      cache: cache(),
      weights: new Map([...matrices].filter(([name]) => !differences.has(name))),
      stationary,
    }),
    server: new PartyPass(plan, order, shape, {
      ...common,
      role: 'server',
      masks: prg(2),
      correlations: packed,
      cache: cache(),
      weights: matrices,
    }),
  }
  const messages = exchange(order, parties)
  const ended = performance.now()
  const sum = (from: string) =>
    messages.reduce((n, m, i) => n + (order.messages[i].from === from ? m.length : 0), 0)
  return {
    // The last message may be an empty one.
    hops: order.messages.filter((m) => m.steps.length > 0).length,
    upBytes: sum('owner'),
    downBytes: sum('server'),
    dealerBytes,
    onlineSeconds: (ended - dealt) / 1000,
    offlineSeconds: (dealt - started) / 1000,
    value: (of) =>
      toFloats(add(parties.owner.get(of), parties.server.get(of), of.ring), of.ring, of.scale.bits),
  }
}
