/** BERT (Devlin et al., 2019), RoBERTa (Liu et al., 2019) and their kin, written once more from their papers. */
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

/** What a form calls the parts of its layers and heads. */
interface Names {
  readonly layer: (l: number) => string
  readonly inner: Record<'query' | 'key' | 'value' | 'out' | 'mixedNorm' | 'up' | 'down' | 'norm', string>
  /** Between a narrow embedding and the layers. */
  readonly widen?: string
  readonly hasTypes: boolean
  readonly head: Record<'pool' | 'labels' | 'transform' | 'norm' | 'decoder' | 'bias', string>
  readonly act: (x: number) => number
}

const inner = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  out: 'attention.output.dense',
  mixedNorm: 'attention.output.LayerNorm',
  up: 'intermediate.dense',
  down: 'output.dense',
  norm: 'output.LayerNorm',
}

const forms: Record<string, Names> = {
  bert: {
    layer: (l) => `bert.encoder.layer.${l}.`,
    inner,
    hasTypes: true,
    head: {
      pool: 'bert.pooler.dense',
      labels: 'classifier',
      transform: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      decoder: 'cls.predictions.decoder',
      bias: 'cls.predictions.bias',
    },
    act: Math.tanh,
  },
  roberta: {
    layer: (l) => `roberta.encoder.layer.${l}.`,
    inner,
    hasTypes: true,
    head: {
      pool: 'classifier.dense',
      labels: 'classifier.out_proj',
      transform: 'lm_head.dense',
      norm: 'lm_head.layer_norm',
      decoder: 'lm_head.decoder',
      bias: 'lm_head.bias',
    },
    act: Math.tanh,
  },
  // Sanh et al., 2019.
  distilbert: {
    layer: (l) => `distilbert.transformer.layer.${l}.`,
    inner: {
      query: 'attention.q_lin',
      key: 'attention.k_lin',
      value: 'attention.v_lin',
      out: 'attention.out_lin',
      mixedNorm: 'sa_layer_norm',
      up: 'ffn.lin1',
      down: 'ffn.lin2',
      norm: 'output_layer_norm',
    },
    hasTypes: false,
    head: {
      pool: 'pre_classifier',
      labels: 'classifier',
      transform: 'vocab_transform',
      norm: 'vocab_layer_norm',
      decoder: 'vocab_projector',
      bias: 'vocab_projector.bias',
    },
    act: activation.relu,
  },
  // Clark et al., 2020.
  electra: {
    layer: (l) => `electra.encoder.layer.${l}.`,
    inner,
    widen: 'electra.embeddings_project',
    hasTypes: true,
    head: {
      pool: 'classifier.dense',
      labels: 'classifier.out_proj',
      transform: 'generator_predictions.dense',
      norm: 'generator_predictions.LayerNorm',
      decoder: 'generator_lm_head',
      bias: 'generator_lm_head.bias',
    },
    act: activation.gelu,
  },
  // Lan et al., 2020: one layer, again and again.
  albert: {
    layer: () => 'albert.encoder.albert_layer_groups.0.albert_layers.0.',
    inner: {
      query: 'attention.query',
      key: 'attention.key',
      value: 'attention.value',
      out: 'attention.dense',
      mixedNorm: 'attention.LayerNorm',
      up: 'ffn',
      down: 'ffn_output',
      norm: 'full_layer_layer_norm',
    },
    widen: 'albert.encoder.embedding_hidden_mapping_in',
    hasTypes: true,
    head: {
      pool: 'albert.pooler',
      labels: 'classifier',
      transform: 'predictions.dense',
      norm: 'predictions.LayerNorm',
      decoder: 'predictions.decoder',
      bias: 'predictions.bias',
    },
    act: Math.tanh,
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
    rowOf(get(`${c.arch}.embeddings.${name}_embeddings.weight`), c.embedding ?? c.dim, i)
  const dense = (x: Vector, name: string): Vector =>
    adapted(c, tensors, name, x, plus(times(get(`${name}.weight`), x), [...get(`${name}.bias`)]))
  const norm = (x: Vector, name: string): Vector =>
    layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), c.eps)
  const act = activation[c.activation]
  const form = forms[c.arch]
  const names = form.inner

  let xs = ids.map((id, t) => {
    const position = table('position', t + (c.positionOffset ?? 0))
    const parts = [table('word', id), position]
    if (form.hasTypes) parts.push(table('token_type', types?.[t] ?? 0))
    const normed = norm(plus(...parts), `${c.arch}.embeddings.LayerNorm`)
    return form.widen && c.embedding ? dense(normed, form.widen) : normed
  })
  for (let l = 0; l < c.layers; l++) {
    const at = form.layer(l)
    const [qs, ks, vs] = [names.query, names.key, names.value].map((name) =>
      xs.map((x) => dense(x, `${at}${name}`)),
    )
    xs = xs.map((x, t) => {
      const mixed = dense(attend(c, qs[t], ks, vs), `${at}${names.out}`)
      return norm(plus(x, mixed), `${at}${names.mixedNorm}`)
    })
    xs = xs.map((x) => {
      const inner = dense(x, `${at}${names.up}`).map(act)
      return norm(plus(x, dense(inner, `${at}${names.down}`)), `${at}${names.norm}`)
    })
  }
  const { head } = form
  if (!c.head) return { hidden: xs }
  if (c.head.kind === 'classify')
    return { hidden: xs, logits: [dense(dense(xs[0], head.pool).map(form.act), head.labels)] }
  if (c.head.kind === 'tag') return { hidden: xs, logits: xs.map((x) => dense(x, 'classifier')) }
  const logits = xs.map((x) => {
    const y = norm(dense(x, head.transform).map(act), head.norm)
    const decoder = c.tied ? `${c.arch}.embeddings.word_embeddings` : head.decoder
    return plus(times(get(`${decoder}.weight`), y), [...get(head.bias)])
  })
  return { hidden: xs, logits }
}
