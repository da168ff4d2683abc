/** BERT and RoBERTa, written once more from their papers (Devlin et al., 2019; Liu et al., 2019). */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import {
  activation,
  adapted,
  attend,
  layerNorm,
  plus,
  rowOf,
  type TwinTensors,
  times,
  type Values,
  type Vector,
} from './formulas.ts'

/** What the two call the parts of their heads. */
const heads: Record<string, Record<'pool' | 'labels' | 'transform' | 'norm' | 'decoder' | 'bias', string>> = {
  bert: {
    pool: 'bert.pooler.dense',
    labels: 'classifier',
    transform: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    decoder: 'cls.predictions.decoder',
    bias: 'cls.predictions.bias',
  },
  roberta: {
    pool: 'classifier.dense',
    labels: 'classifier.out_proj',
    transform: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    decoder: 'lm_head.decoder',
    bias: 'lm_head.bias',
  },
}

export interface TwinText {
  ids: number[]
  types?: number[]
}

/** Last hidden states, and logits of a head: of the labels, or by token of the vocabulary. */
export function bertTwin(
  c: ModelConfig,
  tensors: TwinTensors,
  { ids, types }: TwinText,
): { hidden: Vector[]; logits?: Vector[] } {
  const get = (name: string): Values => tensors.get(name)!.data
  const table = (name: string, i: number): Vector =>
    rowOf(get(`${c.arch}.embeddings.${name}_embeddings.weight`), c.dim, i)
  const dense = (x: Vector, name: string): Vector =>
    adapted(c, tensors, name, x, plus(times(get(`${name}.weight`), x), [...get(`${name}.bias`)]))
  const norm = (x: Vector, name: string): Vector =>
    layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), c.eps)
  const act = activation[c.activation]

  let xs = ids.map((id, t) => {
    const position = table('position', t + (c.positionOffset ?? 0))
    const sum = plus(table('word', id), position, table('token_type', types?.[t] ?? 0))
    return norm(sum, `${c.arch}.embeddings.LayerNorm`)
  })
  for (let l = 0; l < c.layers; l++) {
    const at = `${c.arch}.encoder.layer.${l}.`
    const [qs, ks, vs] = ['query', 'key', 'value'].map((name) =>
      xs.map((x) => dense(x, `${at}attention.self.${name}`)),
    )
    xs = xs.map((x, t) => {
      const mixed = dense(attend(c, qs[t], ks, vs), `${at}attention.output.dense`)
      return norm(plus(x, mixed), `${at}attention.output.LayerNorm`)
    })
    xs = xs.map((x) => {
      const inner = dense(x, `${at}intermediate.dense`).map(act)
      return norm(plus(x, dense(inner, `${at}output.dense`)), `${at}output.LayerNorm`)
    })
  }
  const names = heads[c.arch]
  if (!c.head) return { hidden: xs }
  if (c.head.kind === 'classify')
    return { hidden: xs, logits: [dense(dense(xs[0], names.pool).map(Math.tanh), names.labels)] }
  const logits = xs.map((x) => {
    const y = norm(dense(x, names.transform).map(act), names.norm)
    const decoder = c.tied ? `${c.arch}.embeddings.word_embeddings` : names.decoder
    return plus(times(get(`${decoder}.weight`), y), [...get(names.bias)])
  })
  return { hidden: xs, logits }
}
