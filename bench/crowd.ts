/** `sotto bench crowd`: what opening a session takes beside others' dealing, and how many of many owners get what they came for. */
import type { PlannedModel } from '../src/protections/shared/agreement/parties.ts'
import { type Child, startChild } from './child.ts'
import type { Arrivals, CrowdParties } from './crowd-owners.ts'
import type { PartyAddress } from './party.ts'
import { median, type Result } from './result.ts'
import { type PublicFacts, sourceOf } from './shapes.ts'
import type { Dealt } from './watch.ts'

export interface CrowdOptions {
  /** Folder of a bundle to take instead of the demo's. */
  model?: string
  /** Sessions opened one after another, beside each number of sessions that are dealt for. */
  repeat: number
  /** Rows of the first pass of each who arrives. */
  rows: number
  /** The dealer's threads that deal; its main thread alone where it is 0. */
  workers: number
}

const DEALING = [0, 8, 24]
const PROMPT_ROWS = 64
const ARRIVING = 64
/** Passes that are not dealt by then are given up. */
const DEALT_MS = 120_000
/** Between two openings: dealing goes on meanwhile. */
const PAUSE_MS = 100

/** Measures on three processes of parties and owners. */
export async function crowdCase({ model, repeat, rows, workers }: CrowdOptions): Promise<Result> {
  const facts: PublicFacts = { source: sourceOf('demo', model), profile: {}, visibility: 'private' }
  const dealer = startChild('./party.ts')
  const server = startChild('./party.ts')
  const [crowd, newcomer] = [startChild('./crowd-owners.ts'), startChild('./crowd-owners.ts')]
  try {
    const dealerAt = await dealer.call<PartyAddress>('startDealer', { isCrowded: true, workers })
    const isCrowded = true
    const serverAt = await server.call<PartyAddress>('startServer', { ...facts, dealer: dealerAt, isCrowded })
    const [served] = await server.call<PlannedModel[]>('served')
    const parties: CrowdParties = { ...facts, server: serverAt, dealer: dealerAt, served }
    for (const owners of [crowd, newcomer]) await owners.call('meet', parties)
    const opening: number[][] = []
    for (const dealing of DEALING) opening.push(await openings(crowd, newcomer, dealing, repeat))
    for (const party of [dealer, server]) await party.call('stall')
    const { seconds, failed, dealtSeconds } = await arrivals(crowd, dealer, rows)
    return {
      case: 'crowd',
      openingSeconds: median(opening[0]),
      ...Object.fromEntries(
        DEALING.slice(1).flatMap((dealing, i) => [
          [`openingBeside${dealing}Seconds`, median(opening[i + 1])],
          [`openingBeside${dealing}WorstSeconds`, Math.max(...opening[i + 1])],
        ]),
      ),
      arriving: ARRIVING,
      arrived: seconds.length,
      arrivedSeconds: seconds.length > 0 ? median(seconds) : undefined,
      arrivedWorstSeconds: seconds.length > 0 ? Math.max(...seconds) : undefined,
      dealtSeconds,
      failures: counted(failed),
      dealerStallSeconds: await dealer.call<number>('stall'),
      serverStallSeconds: await server.call<number>('stall'),
      promptRows: PROMPT_ROWS,
      arrivingRows: rows,
      workers,
      repeat,
    }
  } finally {
    await Promise.all([crowd, newcomer, server, dealer].map((child) => child.stop()))
  }
}

function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `${count}: ${reason}`).join(' ') || 'none'
}

/** All come at once; resolves once what they asked for is dealt. */
async function arrivals(
  crowd: Child,
  dealer: Child,
  rows: number,
): Promise<Arrivals & { dealtSeconds: number }> {
  const before = await dealer.call<Dealt>('dealt')
  const started = performance.now()
  const arrived = await crowd.call<Arrivals>('arrive', { owners: ARRIVING, first: 1000, rows })
  const most = before.passes + arrived.seconds.length
  const isOver = () => performance.now() - started > DEALT_MS
  while ((await dealer.call<Dealt>('dealt')).passes < most && !isOver())
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  const dealtSeconds = (performance.now() - started) / 1000
  await crowd.call('leave')
  return { ...arrived, dealtSeconds }
}

/** Seconds that each of some openings takes while so many sessions are dealt for. */
async function openings(crowd: Child, newcomer: Child, dealing: number, repeat: number): Promise<number[]> {
  if (dealing > 0) await crowd.call('deal', { owners: dealing, first: 100, rows: PROMPT_ROWS })
  const seconds: number[] = []
  // The first one warms up.
  for (let n = 0; n <= repeat; n++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    const took = await newcomer.call<number>('look', n)
    if (n > 0) seconds.push(took)
  }
  if (dealing > 0) await crowd.call('stopDealing')
  return seconds
}
