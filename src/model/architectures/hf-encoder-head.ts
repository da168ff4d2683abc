import type { EncoderHead, LabelOutputs } from './config.ts'
import type { HfConfig, HfReader } from './hf-reader.ts'

/** What an encoder is for, by the class that wrote its weights; a bare model has no head. Throws `HfConfigError`. */
export function headOf(read: HfReader): EncoderHead | undefined {
  const architecture = read.written
  if (/For(MaskedLM|PreTraining)$/.test(architecture)) return { kind: 'mlm' }
  if (architecture === '' || architecture.endsWith('Model')) return undefined
  if (architecture.endsWith('ForTokenClassification')) return { kind: 'tag', labels: labelsOf(read) }
  if (!architecture.endsWith('ForSequenceClassification'))
    read.refuse(
      'architectures',
      'supported heads are sequence and token classification, and masked language models',
    )
  const labels = labelsOf(read)
  const outputs = outputsOf(read, labels.length)
  if (labels.length < 2 && outputs === undefined)
    read.complain(`a classifier needs two labels or more, not ${labels.length}.`)
  const task = String(read.json.finetuning_task ?? '').toLowerCase()
  const isOfPairs = pairTasks.has(task) || crossEncoderActivation(read) !== undefined
  return { kind: 'classify', labels, ...(isOfPairs ? { pairs: true } : {}), ...(outputs ? { outputs } : {}) }
}

/** What Hugging Face makes of logits: one output alone is a regression's. */
function outputsOf(read: HfReader, labels: number): LabelOutputs | undefined {
  const { problem_type: problem } = read.json
  const activation = crossEncoderActivation(read)
  const one = activation?.endsWith('Sigmoid') ? 'sigmoid' : 'raw'
  switch (problem ?? (labels === 1 ? 'regression' : 'single_label_classification')) {
    case 'regression':
      return one
    case 'multi_label_classification':
      return 'sigmoid'
    case 'single_label_classification':
      return undefined
    default:
      return read.refuse('problem_type', 'known are regression, and classification of one or several labels')
  }
}

/** What a cross-encoder of Sentence Transformers, which reads pairs, applies to its logits. */
function crossEncoderActivation({ json }: HfReader): string | undefined {
  const own = json.sentence_transformers as HfConfig | null | undefined
  const name = own?.activation_fn ?? json.sbert_ce_default_activation_function
  return typeof name === 'string' ? name : undefined
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

/** What a class of Hugging Face is called behind its form's name. */
export const classOf = (head: EncoderHead | undefined): string =>
  head === undefined
    ? 'Model'
    : {
        classify: 'ForSequenceClassification',
        tag: 'ForTokenClassification',
        embed: 'Model',
        mlm: 'ForMaskedLM',
      }[head.kind]

/** As `headOf` takes it back, but for pairs. */
export function headToHf(head: EncoderHead | undefined): HfConfig {
  if (head?.kind !== 'classify' && head?.kind !== 'tag') return {}
  const { labels } = head
  return {
    ...(head.kind === 'classify' && head.outputs ? problemOf(head.outputs, labels.length) : {}),
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  }
}

function problemOf(outputs: LabelOutputs, labels: number): HfConfig {
  if (outputs === 'raw') return { problem_type: 'regression' }
  if (labels > 1) return { problem_type: 'multi_label_classification' }
  return { sentence_transformers: { activation_fn: 'torch.nn.modules.activation.Sigmoid' } }
}
