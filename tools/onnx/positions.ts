/** What attention reads besides queries, keys and values: angles of positions, and which positions a row sees. */
import { alibi } from '../../src/model/alibi.ts'
import { headDim, type ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { rotaryFrequencies } from '../../src/model/rope.ts'
import type { Tape, Value } from './tape.ts'

export interface AttentionConstants {
  /** cos and sin of each position's angles, `[length, headDim]`; of rotary models. */
  rotary?: { cos: Value; sin: Value }
  /** Added to the logits of `[examples, kvHeads, group * length, length]`: very negative where a row may not look. */
  mask: Value
}

/** For texts of one length; `padding` is the mask that models which see whole texts are fed. */
export function attentionConstants(
  t: Tape,
  c: ModelConfig,
  length: number,
  padding?: Value,
): AttentionConstants {
  const rows = (c.heads / c.kvHeads) * length
  const mask = padding ?? t.constant(causalMask(c, length), [c.kvHeads, rows, length])
  if (!graphOf(c).isRotary) return { mask }
  const [cos, sin] = rotaryTables(c, length).map((table) => t.constant(table, [length, headDim(c)]))
  return { mask, rotary: { cos, sin } }
}

/** cos and sin, `[length, headDim]`, of each position's angles; both halves alike. */
function rotaryTables(c: ModelConfig, length: number): Float32Array[] {
  const frequencies = rotaryFrequencies(c)
  const half = frequencies.length
  const angle = Float64Array.from(
    { length: length * 2 * half },
    (_, at) => Math.floor(at / (2 * half)) * frequencies[at % half],
  )
  return [Float32Array.from(angle, Math.cos), Float32Array.from(angle, Math.sin)]
}

/** Very negative where a query may not look, else 0 or, in nats, how far scores have fallen: for each query head. */
function causalMask(c: ModelConfig, length: number): Float32Array {
  const { isAlibi } = graphOf(c)
  return Float32Array.from({ length: c.heads * length * length }, (_, at) => {
    const distance = (Math.floor(at / length) % length) - (at % length)
    if (distance < 0) return -1e9
    const head = Math.floor(at / (length * length))
    return isAlibi ? -Math.LN2 * alibi(head, c.heads, distance) : 0
  })
}
