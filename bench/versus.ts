/** `sotto bench ... --beside PROFILE`: one pass in two profiles, in turn, so that whatever else the machine does weighs on both. */
import type { PassFigures } from './measure.ts'
import { type PassName, type PassOptions, usualWarmup, withParties } from './passes.ts'
import { median, type Result } from './result.ts'

/** Figures of one profile's passes. */
const figures = (passes: readonly PassFigures[]) => {
  const of = (pick: (pass: PassFigures) => number) => median(passes.map(pick))
  return {
    onlineSeconds: of((p) => p.onlineSeconds),
    offlineSeconds: of((p) => p.offlineSeconds),
    workSeconds: of((p) => p.onlineSeconds + p.offlineSeconds),
    cpuSeconds: of((p) => p.ownerCpuSeconds + p.serverCpuSeconds + p.dealerCpuSeconds),
    onlineCpuSeconds: of(
      (p) =>
        p.ownerCpuSeconds -
        p.ownerOfflineCpuSeconds +
        (p.serverCpuSeconds - p.serverOfflineCpuSeconds) +
        (p.dealerCpuSeconds - p.dealerOfflineCpuSeconds),
    ),
    wireBytes: of((p) => p.upBytes + p.downBytes),
    dealerBytes: of((p) => p.dealerBytes),
    hops: of((p) => p.hops),
  }
}
type Figures = ReturnType<typeof figures>

/** A pass of `o` and the same of `other`, and each figure of the first as a share of the second's. */
export function versusCase(name: PassName, o: PassOptions, other: PassOptions): Promise<Result> {
  return withParties(o, (first) =>
    withParties(other, async (second) => {
      const runs = [first, second].map(({ bench, request, rows }) => ({
        passes: [] as PassFigures[],
        measure: () => bench.measure(request, rows),
      }))
      const warmup = o.warmup ?? usualWarmup[name]
      for (let i = 0; i < warmup; i++) for (const { measure } of runs) await measure()
      for (let i = 0; i < o.repeat; i++) for (const { passes, measure } of runs) passes.push(await measure())
      const [mine, theirs] = runs.map(({ passes }) => figures(passes))
      const names = Object.keys(mine) as (keyof Figures)[]
      const named = (prefix: string, of: Figures) =>
        Object.fromEntries(names.map((key) => [`${prefix}${key[0].toUpperCase()}${key.slice(1)}`, of[key]]))
      const shares = names.map((key) => [
        `${key.replace(/Seconds$|Bytes$/, '')}Share`,
        mine[key] / theirs[key],
      ])
      const [peak, besidePeak] = await Promise.all(
        [first, second].map(async ({ bench }) => (await bench.usage()).owner.peakBytes),
      )
      return {
        case: `${name} ${o.shape}, ${first.plans.model.profile} beside ${second.plans.model.profile}`,
        ...mine,
        ...named('beside', theirs),
        ...Object.fromEntries(shares),
        peakOwnerBytes: peak,
        besidePeakOwnerBytes: besidePeak,
        context: o.context,
        tokens: o.rows,
        scales: o.scales,
        link: o.link,
        rttMs: o.network.rtt,
        repeat: o.repeat,
        warmup,
      }
    }),
  )
}
