import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'
import type { Tap } from '../../src/model/graph/taps.ts'

/** Attention logits by layer and head: lowest and highest, and the widest row's span. */
export type HeadSpans = { range: [low: number, high: number]; row: number }[][]

/** Collects the spans of what it is shown. */
export function headSpans(config: ModelConfig): { tap: Tap; spans: HeadSpans } {
  const spans: HeadSpans = Array.from({ length: config.layers }, () =>
    Array.from({ length: config.heads }, () => ({ range: [Infinity, -Infinity], row: 0 })),
  )
  const tap: Tap = (name, layer, values) => {
    if (name !== 'attention-logits') return
    for (const { head, from, to } of rows(config, values.length)) {
      const span = spans[layer][head]
      let [low, high] = [Infinity, -Infinity]
      for (let at = from; at < to; at++) {
        low = Math.min(low, values[at])
        high = Math.max(high, values[at])
      }
      span.range = [Math.min(span.range[0], low), Math.max(span.range[1], high)]
      span.row = Math.max(span.row, high - low)
    }
  }
  return { tap, spans }
}

/** The rows of a tap's logits: per token and head the positions it sees. In a decoder that is one more each token. */
function* rows(config: ModelConfig, count: number): Generator<{ head: number; from: number; to: number }> {
  const perHead = count / config.heads
  // n (n + 1) / 2 for the n tokens of a decoder's whole sequence, n^2 in an encoder.
  const n = continuesText(config) ? (Math.sqrt(8 * perHead + 1) - 1) / 2 : Math.sqrt(perHead)
  for (let t = 0, from = 0; t < n; t++)
    for (let head = 0; head < config.heads; head++) {
      const to = from + (continuesText(config) ? t + 1 : n)
      yield { head, from, to }
      from = to
    }
}
