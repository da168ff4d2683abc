/** Attention over keys and values at hand. */
import { alibi } from '../alibi.ts'
import { headDim, type ModelConfig } from '../architectures/config.ts'
import { type Floats, zerosLike } from '../math.ts'
import { scoreScale } from '../score-scale.ts'
import { attentionWeights } from '../softmax.ts'
import { graphOf } from './graph-of.ts'

/** Keys and values, `[positions, kvHeads * headDim]`; there may be room behind the last position. */
export interface KeysAndValues {
  keys: Floats
  values: Floats
}

/**
 * softmax(q k' / sqrt(headDim)) v by heads (Vaswani et al., 2017), where groups of query heads share one of keys and values
 * (Ainslie et al., 2023); or with powers of two of q k' as weights, which may fall with the distance to the row's own
 * position, the last that it sees. Queries and the result are `[n, heads * headDim]`.
 * @param seen how many positions row t attends to, from the first on
 * @param tap the scaled logits before any soft cap: row by row, head by head, the positions seen
 */
export function attend<T extends Floats>(
  c: ModelConfig,
  q: T,
  { keys, values }: KeysAndValues,
  seen: (t: number) => number,
  tap?: (logits: Float64Array) => void,
): T {
  const hd = headDim(c)
  const { scores: unit, isAlibi } = graphOf(c)
  const scale = unit === 'octaves' ? Math.LN2 : scoreScale(c)
  const kvWidth = c.kvHeads * hd
  const n = q.length / (c.heads * hd)
  const out = zerosLike(q, q.length)
  const mixed = new Float64Array(hd)
  const logits: number[] = []
  for (let t = 0; t < n; t++) {
    const length = seen(t)
    const scores = zerosLike(q, length)
    for (let head = 0; head < c.heads; head++) {
      const at = (t * c.heads + head) * hd
      const kvAt = Math.floor((head * c.kvHeads) / c.heads) * hd
      for (let p = 0; p < length; p++) {
        let sum = 0
        for (let i = 0; i < hd; i++) sum += q[at + i] * keys[p * kvWidth + kvAt + i]
        scores[p] = sum * scale
        if (isAlibi) scores[p] -= Math.LN2 * alibi(head, c.heads, length - 1 - p)
      }
      if (tap) for (const score of scores) logits.push(score)
      attentionWeights(c, scores)
      mixed.fill(0)
      for (let p = 0; p < length; p++)
        for (let i = 0; i < hd; i++) mixed[i] += scores[p] * values[p * kvWidth + kvAt + i]
      out.set(mixed, at)
    }
  }
  tap?.(Float64Array.from(logits))
  return out
}
