/**
 * The fused form of BERT, written once more: post-LN with RMSNorm without gain behind attention only (Zhang and Sennrich,
 * 2019), and feed-forward blocks without biases.
 */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { TwinText } from './bert.ts'
import { octaveAttend, plus, rowOf, times, unit, type Vector } from './formulas.ts'

/** Last hidden states, and logits of the labels where the model has a head. */
export function rmsBertTwin(
  c: ModelConfig,
  tensors: Tensors,
  { ids, types }: TwinText,
): { hidden: Vector[]; logits?: Vector[] } {
  const get = (name: string): Float32Array => tensors.get(name)!.data
  const dense = (x: Vector, name: string): Vector =>
    plus(times(get(`${name}.weight`), x), [...get(`${name}.bias`)])
  let xs = ids.map((id, t) => {
    const row = (name: string, i: number): Vector => rowOf(get(`bert.embeddings.${name}.weight`), c.dim, i)
    const words = plus(row('word_embeddings', id), row('position_embeddings', t))
    return unit(plus(words, row('token_type_embeddings', types?.[t] ?? 0)), c.eps)
  })
  for (let l = 0; l < c.layers; l++) {
    const at = `bert.encoder.layer.${l}.`
    const [qs, ks, vs] = ['query', 'key', 'value'].map((name) =>
      xs.map((x) => dense(x, `${at}attention.self.${name}`)),
    )
    xs = xs.map((x, t) => {
      const mixed = octaveAttend(c, qs[t], ks, vs, () => 0)
      const n = unit(plus(x, dense(mixed, `${at}attention.output.dense`)), c.eps)
      const inner = times(get(`${at}intermediate.dense.weight`), n).map((g) => Math.max(g, 0))
      return plus(n, times(get(`${at}output.dense.weight`), inner))
    })
  }
  if (c.head?.kind === 'classify') return { hidden: xs, logits: [dense(xs[0], 'classifier')] }
  return { hidden: xs.map((x) => unit(x, c.eps)) }
}
