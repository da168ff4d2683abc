/** `sotto bench decode` and `sotto bench prefill`: a pass of the whole protocol between three processes. */

import type { Products } from '../src/kernels/node/choice.ts'
import { EncoderEnds } from '../src/model/encoder-ends.ts'
import { graphOf } from '../src/model/graph/graph-of.ts'
import { rmsNorm } from '../src/model/norm.ts'
import { planDealtBytes } from '../src/protections/shared/cost.ts'
import type { ColumnScales } from '../src/protections/shared/profiles/lowbit/random.ts'
import { rowChunksOf } from '../src/protections/shared/row-chunks.ts'
import { type ModelPlans, modelPlans } from '../src/protections/shared/session/model-plan.ts'
import { MAX_ROWS } from '../src/protections/shared/session/pass-messages.ts'
import type { LinkChoice } from '../src/transport/connect.ts'
import type { Network } from '../src/transport/emulated.ts'
import { type Expected, errors, expectedResults } from './expected.ts'
import { Bench, type PassFigures } from './measure.ts'
import type { PassRequest } from './owner.ts'
import { median, type Result } from './result.ts'
import {
  logitRange,
  manifestOf,
  type PublicFacts,
  quantizedSource,
  type ShapeName,
  sourceOf,
  type WeightVisibility,
} from './shapes.ts'

export interface PassOptions {
  shape: ShapeName
  /** Folder of a bundle to take instead. */
  model?: string
  /** Decode: positions that the token attends to, itself included. Prefill: 0. */
  context: number
  /** New tokens of the pass. */
  rows: number
  visibility: WeightVisibility
  /** Of random shapes; a bundle says itself what it is of. */
  profile?: string
  /** Of random quantized shapes. */
  scales?: ColumnScales
  link: LinkChoice
  network: Network
  /** One pass more over each of these round trips, in milliseconds: `onlineSecondsAtRtt1` and so on. */
  otherRtts?: readonly number[]
  repeat: number
  /** Passes before those that are measured; those of `usualWarmup` if not given. */
  warmup?: number
  /** Insists on a way to make products of many rows. */
  products?: Products
  /** The dealer's threads that deal. */
  workers?: number
}

/** While a party's code is still being compiled, its first tokens take longer than any later one of a conversation. */
export const usualWarmup = { decode: 15, prefill: 0, encode: 0 }
export type PassName = keyof typeof usualWarmup

/** Tokens of the pipelined run; the first has nothing prepared. */
const PIPELINED = 9

export interface Run {
  readonly bench: Bench
  readonly plans: ModelPlans
  readonly ref: Expected
  readonly request: PassRequest
  /** Of the pass that is measured: a text has the rows of its bucket. */
  readonly rows: number
  readonly facts: PublicFacts
}

/** Starts the parties with `context - rows` positions cached, and hands them to `body`. */
export async function withParties<T>(
  o: PassOptions,
  body: (run: Run, facts: { fillSeconds: number; offlineDown: number }) => Promise<T>,
): Promise<T> {
  const source = o.scales ? quantizedSource(o.shape, o.scales) : sourceOf(o.shape, o.model, o.visibility)
  const ref = await expectedResults(source, o.context, o.profile)
  const facts: PublicFacts = { source, profile: ref.profile, visibility: o.visibility }
  const plans = modelPlans(await manifestOf(facts))
  const bench = await Bench.start(facts, o.link, { ...o.network }, o)
  try {
    const offlineDown = await bench.downloads()
    const base = o.context - o.rows
    const parts: PassRequest[] = []
    for (let at = 0; at < base; at += MAX_ROWS)
      parts.push(rowsOf(plans, ref, at, Math.min(MAX_ROWS, base - at)))
    const fill = await bench.run(parts, false)
    const request = ref.padding
      ? { base, embeddings: ref.embeddings, padding: ref.padding }
      : rowsOf(plans, ref, base, o.rows)
    const rows = request.embeddings.length / plans.inputWidth
    const run = { bench, plans, ref, facts, request, rows }
    return await body(run, { offlineDown, fillSeconds: fill.reduce((a, b) => a + b, 0) })
  } finally {
    await bench.stop()
  }
}

const rowsOf = (plans: ModelPlans, ref: Expected, base: number, rows: number): PassRequest => {
  const { dim } = plans.config
  return { base, embeddings: ref.embeddings.slice(base * dim, (base + rows) * dim) }
}

/** Measures one pass. */
export function passCase(name: PassName, o: PassOptions): Promise<Result> {
  return withParties(o, async ({ bench, plans, ref, request, rows, facts }, { fillSeconds, offlineDown }) => {
    const passes: PassFigures[] = []
    const warmup = o.warmup ?? usualWarmup[name]
    for (let i = 0; i < warmup; i++) await bench.measure(request, rows)
    for (let i = 0; i < o.repeat; i++) passes.push(await bench.measure(request, rows))
    const of = (pick: (pass: PassFigures) => number) => median(passes.map(pick))
    const overNetworks: Record<string, number> = {}
    for (const rtt of o.otherRtts ?? []) {
      await bench.rtt(rtt)
      overNetworks[`onlineSecondsAtRtt${rtt}`] = (await bench.measure(request, rows)).onlineSeconds
    }
    await bench.rtt(o.network.rtt)
    const pipelinedSeconds = ref.padding ? undefined : median(await pipelined(bench, plans, ref, o))
    const { owner, server, dealer } = await bench.usage()
    const products = await bench.products()
    const shape = plans.shapeOf({ base: request.base, rows, serial: 0 })
    const { plan, schedule } = plans.of(shape)
    const { config } = plans
    return {
      case: `${name} ${o.shape}`,
      hops: of((p) => p.hops),
      ownerUpBytes: of((p) => p.upBytes),
      ownerDownBytes: of((p) => p.downBytes),
      ownerOfflineDownBytes: offlineDown,
      dealerBytes: of((p) => p.dealerBytes),
      onlineSeconds: of((p) => p.onlineSeconds),
      offlineSeconds: of((p) => p.offlineSeconds),
      setupSeconds: bench.setupSeconds,
      ...errors(finished(plans, ref, passes[0].hidden), ref.hidden),
      peakOwnerBytes: owner.peakBytes,
      productSeconds: of((p) => p.productSeconds),
      dealSeconds: of((p) => p.dealSeconds),
      ownerCpuSeconds: of((p) => p.ownerCpuSeconds),
      serverCpuSeconds: of((p) => p.serverCpuSeconds),
      dealerCpuSeconds: of((p) => p.dealerCpuSeconds),
      ownerOfflineCpuSeconds: of((p) => p.ownerOfflineCpuSeconds),
      serverOfflineCpuSeconds: of((p) => p.serverOfflineCpuSeconds),
      dealerOfflineCpuSeconds: of((p) => p.dealerOfflineCpuSeconds),
      ...overNetworks,
      pipelinedSeconds,
      fillSeconds,
      declaredHops: schedule.hops,
      declaredDealerBytes: planDealtBytes(rowChunksOf(shape), plan),
      peakServerBytes: server.peakBytes,
      peakDealerBytes: dealer.peakBytes,
      context: o.context,
      tokens: o.rows,
      layers: config.layers,
      dim: config.dim,
      heads: config.heads,
      ff: config.ff,
      weights: o.visibility,
      profile: plans.model.profile,
      scales: o.scales,
      weightStd: ref.weightStd,
      logitRange: await logitRange(await manifestOf(facts)),
      link: o.link,
      dealerWorkers: o.workers,
      rttMs: o.network.rtt,
      downMbit: o.network.down ?? 0,
      upMbit: o.network.up ?? 0,
      repeat: o.repeat,
      warmup,
      ownerProducts: products.owner.kind,
      serverProducts: products.server.kind,
      dealerProducts: products.dealer.kind,
      productsReason: products.server.reason,
    }
  })
}

/** An encoder's released rows as hidden states; gain and bias of the last norm are left to the owner where it knows them. */
function finished(
  plans: ModelPlans,
  { padding, ids, tensors }: Expected,
  released: Float64Array,
): Float64Array {
  const { config } = plans
  if (padding) return new EncoderEnds(config, tensors, plans).tokens(released, ids.length)
  // A norm without secrets is left to the owner.
  if (graphOf(config).finalNorm.kind !== 'unit') return released
  return rmsNorm(released, new Float32Array(config.dim).fill(1), config.eps)
}

/** Seconds of each pass when the next is prepared meanwhile, as in a conversation. */
async function pipelined(bench: Bench, plans: ModelPlans, ref: Expected, o: PassOptions): Promise<number[]> {
  const tokens = o.rows === 1 ? Math.min(PIPELINED, o.context) : 1
  const parts = Array.from({ length: tokens }, (_, i) =>
    rowsOf(plans, ref, o.context - (tokens - i) * o.rows, o.rows),
  )
  if (tokens === 1) await bench.fill(o.rows)
  const seconds = await bench.run(parts, tokens > 1)
  return tokens > 1 ? seconds.slice(1) : seconds
}

/** Wall time over several round trips; its slope is the number of hops that the wall time depends on. */
export function slopeCase(o: PassOptions): Promise<Result> {
  return withParties(o, async ({ bench, plans, request }) => {
    const rtts = [0, 20, 40]
    const runs: number[][] = rtts.map(() => [])
    // In turns, and the least of each: whatever else the machine does then weighs on none of them more.
    for (let i = 0; i < (o.warmup ?? 0); i++) await bench.measure(request, o.rows)
    for (let i = 0; i < o.repeat; i++)
      for (const [at, rtt] of rtts.entries()) {
        await bench.rtt(rtt)
        runs[at].push((await bench.measure(request, o.rows)).onlineSeconds)
      }
    const times = runs.map((list) => Math.min(...list))
    const { hops } = plans.of({ base: request.base, rows: o.rows }).schedule
    // A hop takes half a round trip.
    const slopeHops = slope(
      rtts.map((rtt) => rtt / 2000),
      times,
    )
    const deviation = slopeHops / hops - 1
    return {
      case: `slope ${o.shape}`,
      hops,
      slopeHops,
      deviation,
      withinTenPercent: Math.abs(deviation) <= 0.1,
      onlineSecondsAtRtt0: times[0],
      onlineSecondsAtRtt20: times[1],
      onlineSecondsAtRtt40: times[2],
      context: o.context,
      tokens: o.rows,
      link: o.link,
      repeat: o.repeat,
    }
  })
}

/** Least squares. */
export function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length
  const [mx, my] = [mean(x), mean(y)]
  const top = x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0)
  return top / x.reduce((sum, v) => sum + (v - mx) ** 2, 0)
}
