/** One case with two ways to make products of many rows, in turn in one run: ratios hold where seconds of a busy machine do not. */
import type { Products } from '../src/kernels/node/choice.ts'
import type { PassOptions } from './passes.ts'
import { median, type Result } from './result.ts'

/**
 * Each way is started so often: whatever else the machine does then weighs on both. Not both at once: two sets of parties with
 * BERT-base take more memory than many machines have.
 */
const TURNS = 2

const number = (value: Result[string]): number => Number(value ?? 0)

/** Processor seconds of all three parties. */
const cpu = {
  offline: (r: Result): number =>
    number(r.ownerOfflineCpuSeconds) + number(r.serverOfflineCpuSeconds) + number(r.dealerOfflineCpuSeconds),
  online: (r: Result): number =>
    number(r.ownerCpuSeconds) + number(r.serverCpuSeconds) + number(r.dealerCpuSeconds) - cpu.offline(r),
}

/**
 * Measures `run` with the products of its options and with `against`, and says what the first takes of the second's:
 * `onlineRatio` and `offlineRatio` of wall time, `onlineCpuRatio` and `offlineCpuRatio` of processor time.
 */
export async function againstCase(
  run: (o: PassOptions) => Promise<Result>,
  o: PassOptions,
  against: Products,
): Promise<Result> {
  const ours: Result[] = []
  const theirs: Result[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    ours.push(await run(o))
    theirs.push(await run({ ...o, products: against }))
  }
  const of = (results: Result[], pick: (r: Result) => number) => median(results.map(pick))
  const ratio = (pick: (r: Result) => number) => of(ours, pick) / of(theirs, pick)
  const seconds = (results: Result[], name: string) => of(results, (r) => number(r[name]))
  return {
    case: `${ours[0].case}, products ${ours[0].serverProducts} against ${theirs[0].serverProducts}`,
    onlineRatio: ratio((r) => number(r.onlineSeconds)),
    offlineRatio: ratio((r) => number(r.offlineSeconds)),
    onlineCpuRatio: ratio(cpu.online),
    offlineCpuRatio: ratio(cpu.offline),
    onlineSeconds: seconds(ours, 'onlineSeconds'),
    offlineSeconds: seconds(ours, 'offlineSeconds'),
    againstOnlineSeconds: seconds(theirs, 'onlineSeconds'),
    againstOfflineSeconds: seconds(theirs, 'offlineSeconds'),
    onlineCpuSeconds: of(ours, cpu.online),
    offlineCpuSeconds: of(ours, cpu.offline),
    againstOnlineCpuSeconds: of(theirs, cpu.online),
    againstOfflineCpuSeconds: of(theirs, cpu.offline),
    tokens: o.rows,
    weights: o.visibility,
    repeat: o.repeat,
    turns: TURNS,
  }
}
