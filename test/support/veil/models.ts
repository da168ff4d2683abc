/** Small models of every family: their `config.json`, and how their twins answer. */
import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import type { HfConfig } from '../../../src/model/architectures/hf-reader.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import type { OwnerEnds } from '../../../src/protections/veiled/owner-ends.ts'
import { bertTwin } from '../../twins/bert.ts'
import type { TwinTensors, Vector } from '../../twins/formulas.ts'
import { Gpt2Twin } from '../../twins/gpt2.ts'
import { LlamaTwin } from '../../twins/llama.ts'
import { pictureRows, textTwin } from '../../twins/llava.ts'
import { MixtralTwin } from '../../twins/mixtral.ts'
import { vitTwin } from '../../twins/vit.ts'

/** A model and a question to it. */
export interface VeilCase {
  readonly name: string
  readonly config: HfConfig
  /** Tensors that it has not. */
  readonly without?: RegExp
  /** Its answers, in its own order, from a server that holds `tensors`: the owner's `ends` if they are veiled. */
  answers(tensors: TwinTensors, isTied: boolean, ends?: OwnerEnds): Vector[]
}

const decoder = {
  ...{ hidden_size: 48, num_attention_heads: 6, num_key_value_heads: 3, intermediate_size: 72 },
  ...{ num_hidden_layers: 3, vocab_size: 97, rms_norm_eps: 1e-5, max_position_embeddings: 40 },
  ...{ rope_theta: 10000, hidden_act: 'silu', eos_token_id: 5, _name_or_path: 'somebody/secret-base' },
}

const rotary: Omit<ModelConfig, 'tied'> = {
  ...{ arch: 'llama', vocab: 97, dim: 48, layers: 3, heads: 6, kvHeads: 3, ff: 72, eps: 1e-5 },
  ...{ context: 40, ropeTheta: 10000, activation: 'silu' },
}

const gpt2: Omit<ModelConfig, 'tied'> = {
  ...{ arch: 'gpt2', vocab: 97, dim: 48, layers: 3, heads: 4, kvHeads: 4, ff: 96, eps: 1e-5 },
  ...{ context: 40, activation: 'gelu_tanh' },
}

const encoder = {
  ...{ hidden_size: 48, num_attention_heads: 4, intermediate_size: 96, num_hidden_layers: 3 },
  ...{ vocab_size: 97, max_position_embeddings: 40, type_vocab_size: 2, layer_norm_eps: 1e-5 },
}

const bert: Omit<ModelConfig, 'arch'> = {
  ...{ vocab: 97, dim: 48, layers: 3, heads: 4, kvHeads: 4, ff: 96, eps: 1e-5, context: 38 },
  ...{ activation: 'gelu', tied: true, types: 2 },
}

const labels = ['anger', 'joy', 'fear', 'none', 'pain']
const id2label = Object.fromEntries(labels.map((label, i) => [i, label]))

/** Twelve tokens in one pass, then eight one after another. */
const IDS = [3, 90, 14, 15, 92, 65, 35, 89, 79, 32, 38, 46, 26, 43, 38, 32, 79, 5, 0, 96]
const PREFILL = 12

interface Twin {
  forward(ids: readonly number[]): Vector[]
}

function continued(twin: Twin, ends?: OwnerEnds): Vector[] {
  const ids = ends ? ends.veilIds(IDS) : IDS
  const out = twin.forward(ids.slice(0, PREFILL))
  for (const id of ids.slice(PREFILL)) out.push(...twin.forward([id]))
  return out.map((row) => unveiled(row, ends))
}

const unveiled = (row: Vector, ends?: OwnerEnds): Vector =>
  ends ? [...ends.unveilLogits(Float64Array.from(row))] : row

const labelled = (row: Vector, ends?: OwnerEnds): Vector =>
  ends ? [...ends.unveilLabels(Float64Array.from(row))] : row

/** Sixteen patches of 3 x 4 x 4 numbers. */
function picture(ends?: OwnerEnds): Vector[] {
  const random = new PredictableRandom(8)
  const patches = Array.from({ length: 16 }, () => Float64Array.from({ length: 48 }, () => random.uniform()))
  return (ends ? ends.veilPatches(patches) : patches).map((patch) => [...patch])
}

const encoderCase = (
  name: string,
  arch: string,
  more: HfConfig,
  without: RegExp,
  isMasked = false,
): VeilCase => ({
  name,
  config: { ...encoder, model_type: arch, ...more },
  without,
  answers(tensors, tied, ends) {
    const offset = arch === 'roberta' ? { positionOffset: 2 } : {}
    const head = isMasked ? ({ kind: 'mlm' } as const) : ({ kind: 'classify', labels } as const)
    const c: ModelConfig = {
      ...bert,
      arch,
      tied,
      ...offset,
      ...(without.test('classifier.weight') && !isMasked ? {} : { head }),
    }
    const types = IDS.map((_, i) => (i < 9 ? 0 : 1))
    const ids = ends ? ends.veilIds(IDS) : IDS
    const text = { ids, ...(arch === 'bert' ? { types } : {}) }
    const { hidden, logits } = bertTwin(c, tensors, text)
    if (!c.head) return hidden.map((row) => (ends ? [...ends.unveilHidden(Float64Array.from(row))] : row))
    return logits!.map((row) => (isMasked ? unveiled(row, ends) : labelled(row, ends)))
  },
})

const isHead = /^(cls|lm_head|classifier|bert\.pooler)/

export const veilCases: readonly VeilCase[] = [
  {
    name: 'llama with a tied head',
    config: { ...decoder, model_type: 'llama', tie_word_embeddings: true },
    without: /bias$|lm_head/,
    answers: (tensors, tied, ends) => continued(new LlamaTwin({ ...rotary, tied }, tensors), ends),
  },
  {
    name: 'qwen2: biases of queries, keys and values',
    config: { ...decoder, model_type: 'qwen2' },
    without: /(o_proj|mlp.*)\.bias$/,
    answers: (tensors, _, ends) => continued(new LlamaTwin({ ...rotary, tied: false }, tensors), ends),
  },
  {
    name: 'qwen3: norms of queries and keys',
    config: { ...decoder, model_type: 'qwen3' },
    without: /bias$/,
    answers: (tensors, _, ends) => continued(new LlamaTwin({ ...rotary, tied: false }, tensors), ends),
  },
  {
    name: 'llama with every bias',
    config: { ...decoder, model_type: 'llama', attention_bias: true, mlp_bias: true },
    answers: (tensors, _, ends) => continued(new LlamaTwin({ ...rotary, tied: false }, tensors), ends),
  },
  {
    name: 'mixtral',
    config: { ...decoder, model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2 },
    without: /bias$/,
    answers: (tensors, _, ends) => continued(new MixtralTwin({ ...rotary, tied: false }, tensors), ends),
  },
  {
    name: 'gpt2',
    config: {
      ...{ model_type: 'gpt2', n_embd: 48, n_head: 4, n_layer: 3, n_inner: 96, vocab_size: 97 },
      ...{ n_positions: 40, layer_norm_epsilon: 1e-5, activation_function: 'gelu_new' },
    },
    // Without a prefix, and tied.
    without: /^transformer|lm_head/,
    answers: (tensors, tied, ends) => continued(new Gpt2Twin({ ...gpt2, tied }, tensors), ends),
  },
  encoderCase('bert, labels', 'bert', { id2label }, /^cls/),
  encoderCase(
    'bert, masked language model',
    'bert',
    { tie_word_embeddings: true },
    /pooler|^classifier|decoder/,
    true,
  ),
  encoderCase('bert without a head', 'bert', {}, isHead),
  encoderCase('roberta, labels', 'roberta', { id2label, pad_token_id: 1 }, /^lm_head|pooler/),
  encoderCase(
    'roberta, masked language model',
    'roberta',
    { pad_token_id: 1 },
    /pooler|^classifier|decoder/,
    true,
  ),
  {
    name: 'vit',
    config: {
      ...{ model_type: 'vit', hidden_size: 48, num_attention_heads: 4, intermediate_size: 96, id2label },
      ...{ num_hidden_layers: 3, image_size: 16, patch_size: 4, num_channels: 3, layer_norm_eps: 1e-5 },
    },
    answers(tensors, _, ends) {
      const c: ModelConfig = { ...bert, arch: 'vit' }
      return [labelled(vitTwin(c, tensors, picture(ends)), ends)]
    },
  },
  {
    name: 'llava',
    config: {
      model_type: 'llava',
      image_token_index: 96,
      text_config: { ...decoder, model_type: 'llama' },
      vision_config: {
        ...{ model_type: 'clip_vision_model', hidden_size: 40, num_attention_heads: 4, image_size: 16 },
        ...{ intermediate_size: 80, num_hidden_layers: 3, patch_size: 4, layer_norm_eps: 1e-5 },
      },
    },
    without: /^model\.|language_model.*bias$|patch_embedding.bias/,
    answers(tensors, _, ends) {
      const tower: ModelConfig = { ...bert, arch: 'clip', dim: 40, ff: 80 }
      const text = textTwin({ ...rotary, tied: false }, tensors)
      const ids = ends ? ends.veilIds(IDS) : IDS
      const rows = [
        ...pictureRows(tower, tensors, picture(ends)),
        ...ids.slice(0, 6).map((id) => text.embed(id)),
      ]
      const out = text.rows(rows)
      for (const id of ids.slice(6)) out.push(...text.forward([id]))
      return out.map((row) => unveiled(row, ends))
    },
  },
]
