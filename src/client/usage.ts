/** What a request has cost. */
import type { Stats } from '../owner/session-stats.ts'

/** Tokens as OpenAI counts them, and what crossed the network for them. */
export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  /** Sequential one-way messages between this side and the model server. */
  hops: number
  bytes: {
    /** From here to model server and dealer. */
    sent: number
    /** From both of them to here. */
    received: number
    /** From the dealer to the model server. */
    dealt: number
  }
}

type Cost = Pick<Usage, 'hops' | 'bytes'>

const NOTHING: Cost = { hops: 0, bytes: { sent: 0, received: 0, dealt: 0 } }

/** Totals of a session so far. */
const costOf = (stats: Stats | undefined): Cost =>
  stats
    ? {
        hops: stats.hops,
        bytes: {
          sent: stats.ownerUpBytes + stats.dealerUpBytes,
          received: stats.ownerDownBytes + stats.dealerDownBytes,
          dealt: stats.dealerToServerBytes,
        },
      }
    : NOTHING

/** What came between two states of a session's totals; a session that was opened anew began at nothing. */
export function costBetween(before: Stats | undefined, after: Stats | undefined): Cost {
  const [from, to] = [costOf(before), costOf(after)]
  if (to.hops < from.hops) return to
  return {
    hops: to.hops - from.hops,
    bytes: {
      sent: to.bytes.sent - from.bytes.sent,
      received: to.bytes.received - from.bytes.received,
      dealt: to.bytes.dealt - from.bytes.dealt,
    },
  }
}

/** The usage of a request that read and made so many tokens. */
export const usageOf = (read: number, made: number, cost: Cost): Usage => ({
  prompt_tokens: read,
  completion_tokens: made,
  total_tokens: read + made,
  ...cost,
})
