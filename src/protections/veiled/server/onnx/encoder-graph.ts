/** BERT and RoBERTa with a classifier: one text in, its labels' logits out. */
import type { Checkpoint } from '../checkpoint.ts'
import { EngineError } from '../engine.ts'
import { activate, activations } from './activate.ts'
import { Graph, type Value } from './graph.ts'
import { Weights } from './weights.ts'

/** What the two differ in. */
interface EncoderForm {
  readonly prefix: string
  readonly pool: string
  readonly classifier: string
  /** Position rows before the first token's. */
  offset(checkpoint: Checkpoint): number
}

const forms: Record<string, EncoderForm> = {
  bert: { prefix: 'bert', pool: 'bert.pooler.dense', classifier: 'classifier', offset: () => 0 },
  roberta: {
    ...{ prefix: 'roberta', pool: 'classifier.dense', classifier: 'classifier.out_proj' },
    offset: ({ read }) => read.number('pad_token_id', 1) + 1,
  },
}
const modelTypes: Record<string, EncoderForm> = {
  bert: forms.bert,
  roberta: forms.roberta,
  'xlm-roberta': forms.roberta,
  camembert: forms.roberta,
}

/** The form of a checkpoint, if it is an encoder. */
export const encoderForm = (modelType: unknown): EncoderForm | undefined =>
  Object.hasOwn(modelTypes, String(modelType)) ? modelTypes[String(modelType)] : undefined

/** Sizes that a server bounds texts by. */
export function encoderSizes(form: EncoderForm, checkpoint: Checkpoint) {
  const { read, tensors } = checkpoint
  const classifier = tensors.get(`${form.classifier}.weight`)
  if (!classifier)
    throw new EngineError('Of encoders, those with a classifier are served: this checkpoint has none.')
  return {
    vocab: read.size('vocab_size', 30522),
    context: read.size('max_position_embeddings', 512) - form.offset(checkpoint),
    types: read.size('type_vocab_size', 2),
    labels: classifier.shape[0],
  }
}

/** The graph. Inputs: `ids`, `types` and `positions`, each `[1, tokens]`. Output: `logits`, `[1, labels]`. */
export function encoderGraph(form: EncoderForm, checkpoint: Checkpoint): Uint8Array {
  const { read, tensors } = checkpoint
  const graph = new Graph()
  const weights = new Weights(graph, tensors)
  const eps = read.number('layer_norm_eps', 1e-12)
  const kind = read.activation('hidden_act', activations, 'gelu')
  const heads = read.size('num_attention_heads', 12)
  const dim = read.size('hidden_size', 768)
  const inputs = { word: 'ids', token_type: 'types', position: 'positions' }
  const rows = Object.entries(inputs).map(([table, name]) =>
    graph.op('Gather', [
      weights.constant(`${form.prefix}.embeddings.${table}_embeddings.weight`),
      graph.input(name, [1, 'tokens'], 'int64'),
    ]),
  )
  const add = (...values: Value[]) => values.reduce((sum, value) => graph.op('Add', [sum, value]))
  let x = weights.layerNorm(add(...rows), `${form.prefix}.embeddings.LayerNorm`, eps)
  for (let layer = 0; layer < read.layers('num_hidden_layers', 12); layer++) {
    const at = `${form.prefix}.encoder.layer.${layer}`
    const projected = ['query', 'key', 'value'].map((name) =>
      weights.dense(x, `${at}.attention.self.${name}`),
    )
    const mixed = graph.contrib('MultiHeadAttention', projected, 1, {
      num_heads: heads,
      scale: { float: 1 / Math.sqrt(dim / heads) },
    })[0]
    const attended = add(x, weights.dense(mixed, `${at}.attention.output.dense`))
    x = weights.layerNorm(attended, `${at}.attention.output.LayerNorm`, eps)
    const inner = activate(graph, weights.dense(x, `${at}.intermediate.dense`), kind)
    x = weights.layerNorm(add(x, weights.dense(inner, `${at}.output.dense`)), `${at}.output.LayerNorm`, eps)
  }
  const first = graph.op('Gather', [x, graph.constant(BigInt64Array.of(0n), [])], { axis: 1 })
  const pooled = graph.op('Tanh', [weights.dense(first, form.pool)])
  graph.output('logits', weights.dense(pooled, form.classifier))
  return graph.model()
}
