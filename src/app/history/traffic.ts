/** What the parties received while a conversation was open. */
import type { Stats } from '../../owner/session-stats.ts'

export interface PartiesTraffic {
  hops: number
  ownerUp: number
  ownerDown: number
  dealerUp: number
  dealerDown: number
  dealerToServer: number
  serverMessages: number
  dealerMessages: number
  tokens: number
}

export const noTraffic: Readonly<PartiesTraffic> = {
  hops: 0,
  ownerUp: 0,
  ownerDown: 0,
  dealerUp: 0,
  dealerDown: 0,
  dealerToServer: 0,
  serverMessages: 0,
  dealerMessages: 0,
  tokens: 0,
}

const names = Object.keys(noTraffic) as (keyof PartiesTraffic)[]

const trafficOf = (stats: Stats): PartiesTraffic => ({
  hops: stats.hops,
  ownerUp: stats.ownerUpBytes,
  ownerDown: stats.ownerDownBytes,
  dealerUp: stats.dealerUpBytes,
  dealerDown: stats.dealerDownBytes,
  dealerToServer: stats.dealerToServerBytes,
  serverMessages: stats.server?.messages ?? 0,
  dealerMessages: stats.dealer?.messages ?? 0,
  tokens: stats.tokens,
})

/** Adds what happened between two readings of a session's totals. */
export function addTraffic(
  sum: Readonly<PartiesTraffic>,
  before: Stats | undefined,
  after: Stats,
): PartiesTraffic {
  const from = before ? trafficOf(before) : noTraffic
  const to = trafficOf(after)
  const result = { ...sum }
  // A new session counts from zero again, so a total below the last one is a fresh start.
  for (const name of names) result[name] += to[name] >= from[name] ? to[name] - from[name] : to[name]
  return result
}

/** All of several. */
export function sumTraffic(parts: readonly Readonly<PartiesTraffic>[]): PartiesTraffic {
  const sum = { ...noTraffic }
  for (const part of parts) for (const name of names) sum[name] += part[name]
  return sum
}

/** The further of two readings of one count; the first one itself where the other is not ahead. */
export function furtherTraffic(a: PartiesTraffic, b: PartiesTraffic): PartiesTraffic {
  if (names.every((name) => a[name] >= b[name])) return a
  const result = { ...a }
  for (const name of names) result[name] = Math.max(a[name], b[name])
  return result
}
