import type { Activation, EncoderHead, ModelConfig } from './config.ts'
import { activationToHf, type HfConfig, type HfReader } from './hf-reader.ts'

const usual: readonly Activation[] = ['gelu', 'gelu_tanh', 'gelu_sprint', 'silu']

/** BERT's and its kin's configuration; positions are counted from row `positionOffset` of their table. */
export function readEncoder(
  read: HfReader,
  arch: string,
  positionOffset: number,
  activations = usual,
): ModelConfig {
  const { json } = read
  if (json.is_decoder) read.refuse('is_decoder', 'only encoders are')
  if ((json.position_embedding_type ?? 'absolute') !== 'absolute')
    read.refuse('position_embedding_type', 'only absolute positions are')
  const heads = read.size('num_attention_heads')
  const positions = read.size('max_position_embeddings')
  const head = headOf(read)
  const config: ModelConfig = {
    arch,
    vocab: read.size('vocab_size'),
    dim: read.size('hidden_size'),
    layers: read.layers('num_hidden_layers'),
    heads,
    kvHeads: heads,
    ff: read.size('intermediate_size'),
    eps: read.number('layer_norm_eps', 1e-12),
    context: positions - positionOffset,
    activation: read.activation('hidden_act', activations),
    tied: json.tie_word_embeddings !== false,
    types: read.size('type_vocab_size', 2),
    ...(positionOffset ? { positionOffset } : {}),
    ...(head ? { head } : {}),
  }
  read.divides(config)
  return config
}

function headOf(read: HfReader): EncoderHead | undefined {
  const architecture = read.written
  if (/For(MaskedLM|PreTraining)$/.test(architecture)) return { kind: 'mlm' }
  if (!architecture.endsWith('ForSequenceClassification')) {
    if (architecture === '' || architecture.endsWith('Model')) return undefined
    return read.refuse(
      'architectures',
      'supported heads are sequence classification and masked language models',
    )
  }
  if ((read.json.problem_type ?? 'single_label_classification') !== 'single_label_classification')
    read.refuse('problem_type', 'only one label of several is')
  const labels = labelsOf(read)
  if (labels.length < 2) read.complain(`a classifier needs two labels or more, not ${labels.length}.`)
  const task = String(read.json.finetuning_task ?? '').toLowerCase()
  return { kind: 'classify', labels, ...(pairTasks.has(task) ? { pairs: true } : {}) }
}

/** Tasks of GLUE and SuperGLUE whose texts come in pairs, as `finetuning_task` names them. */
const pairTasks = new Set([
  'mnli',
  'mnli-mm',
  'mrpc',
  'qnli',
  'qqp',
  'rte',
  'wnli',
  'ax',
  'snli',
  'boolq',
  'cb',
])

/** Labels in the order of their outputs. Older files leave out the two that are the default. */
function labelsOf(read: HfReader): string[] {
  const map = read.json.id2label
  if (typeof map !== 'object' || map === null)
    return Array.from({ length: read.size('num_labels', 2, 4096) }, (_, i) => `LABEL_${i}`)
  const count = Object.values(map).length
  const labels = Array.from({ length: count }, (_, i) => {
    const label: unknown = (map as HfConfig)[i]
    return typeof label === 'string'
      ? label
      : read.complain(`"id2label" has ${count} labels but none for ${i}.`)
  })
  const again = labels.findIndex((label, i) => labels.indexOf(label) !== i)
  if (again >= 0) {
    const first = labels.indexOf(labels[again])
    read.complain(
      `"id2label" calls both ${first} and ${again} "${labels[again]}". Give each output its name.`,
    )
  }
  return labels
}

/** As `readEncoder` takes it back; `name` is what Hugging Face's classes begin with. */
export function encoderToHf(c: ModelConfig, name: string): HfConfig {
  const head = { classify: 'ForSequenceClassification', mlm: 'ForMaskedLM', none: 'Model' }[
    c.head?.kind ?? 'none'
  ]
  const labels = c.head?.kind === 'classify' ? c.head.labels : undefined
  return {
    architectures: [`${name}${head}`],
    model_type: c.arch,
    hidden_size: c.dim,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    intermediate_size: c.ff,
    hidden_act: activationToHf[c.activation],
    layer_norm_eps: c.eps,
    max_position_embeddings: c.context + (c.positionOffset ?? 0),
    type_vocab_size: c.types ?? 1,
    ...(c.positionOffset ? { pad_token_id: c.positionOffset - 1 } : {}),
    ...(labels
      ? {
          id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
          label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
        }
      : {}),
    vocab_size: c.vocab,
    tie_word_embeddings: c.tied,
  }
}
