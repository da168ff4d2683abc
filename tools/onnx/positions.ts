/** What attention reads besides queries, keys and values: angles of positions, and which positions a row sees. */
import { headDim, type ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { rotaryFrequencies } from '../../src/model/rope.ts'
import type { Tape, Value } from './tape.ts'

export interface AttentionConstants {
  /** cos and sin of each position's angles, `[length, headDim]`; of rotary models. */
  rotary?: { cos: Value; sin: Value }
  /** Added to the logits of `[examples, kvHeads, group * length, length]`: 0 where a row may look, else very negative. */
  mask: Value
}

/** For texts of one length; `padding` is the mask that models which see whole texts are fed. */
export function attentionConstants(
  t: Tape,
  c: ModelConfig,
  length: number,
  padding?: Value,
): AttentionConstants {
  const group = c.heads / c.kvHeads
  const mask = padding ?? t.constant(causalMask(group, length), [group * length, length])
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

/** 0 where a query may look, very negative where it may not; one copy per query head of a group. */
function causalMask(group: number, length: number): Float32Array {
  return Float32Array.from({ length: group * length * length }, (_, at) => {
    const query = Math.floor(at / length) % length
    return at % length <= query ? 0 : -1e9
  })
}
