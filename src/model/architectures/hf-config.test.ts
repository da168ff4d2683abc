import { describe, expect, test } from 'vitest'
import { benchConfigs } from '../random.ts'
import type { ModelConfig } from './config.ts'
import { fromHfConfig, HfConfigError, toHfConfig } from './hf-config.ts'

const bert = {
  model_type: 'bert',
  architectures: ['BertForSequenceClassification'],
  vocab_size: 30522,
  hidden_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 512,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  id2label: { 0: 'negative', 1: 'positive' },
}

const llama = {
  model_type: 'llama',
  vocab_size: 128256,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  rope_scaling: {
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  hidden_act: 'silu',
  tie_word_embeddings: true,
}

const longrope = { type: 'longrope', short_factor: Array(48).fill(1), long_factor: Array(48).fill(2) }
const phi3 = {
  ...llama,
  model_type: 'phi3',
  hidden_size: 3072,
  original_max_position_embeddings: 4096,
  rope_scaling: longrope,
}

const { rms_norm_eps: _, ...sizes } = llama
const stablelm = { ...sizes, model_type: 'stablelm', rope_scaling: null, layer_norm_eps: 1e-5 }

const gemmaOf = (model_type: string) => {
  const { head_dim: _, rope_theta: __, hidden_act: ___, ...rest } = { head_dim: 0, ...stablelm }
  return { ...rest, model_type, max_position_embeddings: 8192 }
}

test('Llama 3.2: grouped heads and its rotary scaling', () => {
  expect(fromHfConfig(llama)).toEqual({
    arch: 'llama',
    vocab: 128256,
    dim: 2048,
    layers: 16,
    heads: 32,
    kvHeads: 8,
    ff: 8192,
    eps: 1e-5,
    context: 131072,
    ropeTheta: 500000,
    ropeScaling: { kind: 'llama3', factor: 32, low: 1, high: 4, original: 8192 },
    activation: 'silu',
    tied: true,
  })
})

test.each([
  [
    { type: 'linear', factor: 2 },
    { kind: 'linear', factor: 2 },
  ],
  [
    { type: 'dynamic', factor: 4 },
    { kind: 'dynamic', factor: 4, original: 131072 },
  ],
  [{ rope_type: 'default' }, undefined],
  [{}, undefined],
  [null, undefined],
])('rope_scaling %j', (rope_scaling, expected) => {
  expect(fromHfConfig({ ...llama, rope_scaling }).ropeScaling).toEqual(expected)
})

test('YaRN by its factor, with what files leave out', () => {
  const rope_scaling = { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 }
  const { ropeScaling } = fromHfConfig({ ...llama, rope_scaling })
  const attention = 0.1 * Math.log(4) + 1
  const scaling = { kind: 'yarn', factor: 4, original: 32768, fast: 32, slow: 1, truncate: true, attention }
  expect(ropeScaling).toEqual(scaling)
  const deep = fromHfConfig({ ...llama, rope_scaling: { ...rope_scaling, mscale: 1, mscale_all_dim: 1 } })
  expect(deep.ropeScaling).toEqual({ ...scaling, attention: 1 })
})

test('Phi-3: its original context unless more is asked for, and factors for longer ones', () => {
  const config = fromHfConfig(phi3)
  expect(config).toMatchObject({ arch: 'phi3', context: 4096, ropeScaling: { kind: 'longrope', factor: 32 } })
  const { ropeScaling } = config
  expect(ropeScaling?.kind === 'longrope' && ropeScaling.attention).toBeCloseTo(Math.sqrt(1 + 5 / 12), 12)
  expect(fromHfConfig(phi3, 'x', 131072).context).toBe(131072)
})

test('Qwen2 has a window only where it says so', () => {
  const qwen2 = { ...llama, model_type: 'qwen2', rope_scaling: null, sliding_window: 4096 }
  expect(fromHfConfig({ ...qwen2, use_sliding_window: false })).toMatchObject({
    arch: 'qwen2',
    context: 131072,
  })
  expect(fromHfConfig({ ...qwen2, use_sliding_window: true })).toMatchObject({ context: 4096 })
})

test('a part of a head turns where the form knows of it', () => {
  const part = { ...phi3, partial_rotary_factor: 0.75, hidden_size: 4096 }
  const factors = { ...longrope, short_factor: Array(48).fill(1), long_factor: Array(48).fill(1) }
  expect(fromHfConfig({ ...part, rope_scaling: factors })).toMatchObject({ arch: 'phi3', rotaryDim: 96 })
  expect(fromHfConfig(stablelm)).toMatchObject({ arch: 'stablelm', rotaryDim: 16, eps: 1e-5 })
  expect(fromHfConfig({ ...stablelm, use_qkv_bias: true }).arch).toBe('stablelm-2')
})

test('Gemma: what its classes take where the file says nothing, and windows that bound the context', () => {
  expect(fromHfConfig(gemmaOf('gemma'))).toMatchObject({ headDim: 256, activation: 'gelu_tanh', tied: true })
  const second = fromHfConfig(gemmaOf('gemma2'))
  expect(second).toMatchObject({ arch: 'gemma2', context: 4096, softcap: 50, logitCap: 30 })
  expect(second.scoreDim).toBeUndefined()
  const third = { ...gemmaOf('gemma3_text'), query_pre_attn_scalar: 168, sliding_window: 512 }
  const config = fromHfConfig(third)
  expect(config).toMatchObject({ context: 512, scoreDim: 168, ropeTheta: 1e6 })
  expect(config.localRotary).toEqual({
    theta: 10000,
    layers: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15],
  })
  const apart = {
    full_attention: { rope_type: 'linear', factor: 8, rope_theta: 5e5 },
    sliding_attention: { rope_type: 'default', rope_theta: 2e4 },
  }
  const layer_types = Array(16).fill('full_attention').fill('sliding_attention', 3, 5)
  expect(fromHfConfig({ ...third, rope_parameters: apart, layer_types })).toMatchObject({
    ropeTheta: 5e5,
    ropeScaling: { kind: 'linear', factor: 8 },
    localRotary: { theta: 2e4, layers: [3, 4] },
  })
})

test('ModernBERT: windows and bases as either form of its file has them, and what is not there refused', () => {
  const file = {
    model_type: 'modernbert',
    architectures: ['ModernBertForSequenceClassification'],
    num_hidden_layers: 6,
    hidden_size: 64,
    num_attention_heads: 4,
    classifier_pooling: 'mean',
    id2label: { 0: 'no', 1: 'yes' },
  }
  const config = fromHfConfig(file)
  const localRotary = { theta: 10000, layers: [1, 2, 4, 5], window: 64 }
  expect(config).toMatchObject({ context: 512, ropeTheta: 160000, localRotary, eps: 1e-5 })
  expect(config.head).toEqual({ kind: 'classify', labels: ['no', 'yes'], pooling: 'mean' })
  expect(fromHfConfig(toHfConfig(config))).toEqual(config)
  const newer = {
    ...file,
    classifier_pooling: 'cls',
    local_attention: 32,
    layer_types: ['full_attention', 'sliding_attention', ...Array(4).fill('full_attention')],
    rope_parameters: { full_attention: { rope_theta: 8e4 }, sliding_attention: { rope_theta: 5e3 } },
  }
  expect(fromHfConfig(newer)).toMatchObject({
    ropeTheta: 8e4,
    localRotary: { theta: 5e3, layers: [1], window: 16 },
    head: { kind: 'classify' },
  })
  // An older file in which all layers turn by one base.
  expect(fromHfConfig({ ...file, local_rope_theta: null }).localRotary?.theta).toBe(160000)
  for (const more of [{ norm_bias: true }, { classifier_pooling: 'max' }, { hidden_activation: 'silu' }])
    expect(() => fromHfConfig({ ...file, ...more })).toThrow(`"${Object.keys(more)[0]}"`)
})

test('Qwen3: heads of 128, wherever the file does not say otherwise', () => {
  const qwen3 = {
    ...llama,
    model_type: 'qwen3',
    rope_scaling: null,
    hidden_size: 1024,
    num_attention_heads: 16,
  }
  expect(fromHfConfig(qwen3)).toMatchObject({ arch: 'qwen3', headDim: 128 })
  expect(fromHfConfig({ ...qwen3, head_dim: 64 }).headDim).toBeUndefined()
})

test('heads need not add up to the width', () => {
  expect(fromHfConfig({ ...llama, model_type: 'mistral', head_dim: 128 })).toMatchObject({
    dim: 2048,
    headDim: 128,
  })
  expect(fromHfConfig({ ...llama, head_dim: 64 }).headDim).toBeUndefined()
})

test('newer files keep base and scaling together', () => {
  const { rope_scaling, rope_theta, ...rest } = llama
  const newer = { ...rest, rope_parameters: { ...rope_scaling, rope_theta } }
  expect(fromHfConfig(newer)).toEqual(fromHfConfig(llama))
})

test('a sliding window bounds the context', () => {
  const mistral = { ...llama, model_type: 'mistral', rope_scaling: null, sliding_window: 4096 }
  expect(fromHfConfig(mistral)).toMatchObject({ arch: 'llama', context: 4096 })
})

test('a context that is asked for goes as far as the positions and the window', () => {
  const of = (change: object) => (asked: number) => fromHfConfig({ ...llama, ...change }, 'x', asked).context
  const yarn = { rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 } }
  const dynamic = { rope_scaling: { type: 'dynamic', factor: 2 } }
  const window = { sliding_window: 4096 }
  for (const [reaches, change] of [
    [131072, {}],
    [262144, dynamic],
    [131072, { ...yarn, max_position_embeddings: 32768 }],
    [4096, { ...yarn, ...window, model_type: 'mistral' }],
    [4096, { ...dynamic, ...window, model_type: 'mistral' }],
    [4096, { ...yarn, ...window, model_type: 'qwen3', use_sliding_window: true }],
    [131072, { ...yarn, ...window, model_type: 'qwen3', use_sliding_window: false }],
    [2047, { ...phi3, sliding_window: 2047 }],
    [16384, { ...gemmaOf('gemma'), rope_scaling: { type: 'dynamic', factor: 2 } }],
    [512, { ...gemmaOf('gemma3_text'), rope_scaling: { type: 'dynamic', factor: 2 }, sliding_window: 512 }],
  ] as const) {
    const context = of(change)
    expect(context(reaches)).toBe(reaches)
    expect(context(7)).toBe(7)
    expect(() => context(reaches + 1)).toThrow(
      `x: the model reaches ${reaches} positions, not ${reaches + 1}.`,
    )
  }
  expect(fromHfConfig(bert, 'x', 12).context).toBe(12)
  expect(() => fromHfConfig(bert, 'x', 513)).toThrow('reaches 512 positions')
})

test.each([-1, 0, null])('a sliding window of %j is none', (sliding_window) => {
  const mistral = { ...llama, model_type: 'mistral', rope_scaling: null, sliding_window }
  expect(fromHfConfig(mistral)).toMatchObject({ context: 131072 })
})

test('GLUE’s tasks of two texts are known by their name', () => {
  const labels = ['negative', 'positive']
  expect(fromHfConfig({ ...bert, finetuning_task: 'QNLI' }).head).toEqual({
    kind: 'classify',
    labels,
    pairs: true,
  })
  expect(fromHfConfig({ ...bert, finetuning_task: 'sst2' }).head).toEqual({ kind: 'classify', labels })
})

test('BERT: labels in order, and the kind of head by its architecture', () => {
  const config = fromHfConfig(bert)
  expect(config).toMatchObject({ arch: 'bert', context: 512, types: 2, tied: true })
  expect(config.head).toEqual({ kind: 'classify', labels: ['negative', 'positive'] })
  expect(config.positionOffset).toBeUndefined()
  expect(fromHfConfig({ ...bert, architectures: ['BertForMaskedLM'] }).head).toEqual({ kind: 'mlm' })
  expect(fromHfConfig({ ...bert, architectures: ['BertModel'] }).head).toBeUndefined()
  const unnamed = fromHfConfig({ ...bert, id2label: undefined, num_labels: 3 })
  expect(unnamed.head).toEqual({ kind: 'classify', labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'] })
})

test('heads of one number, of several labels at once, and of tokens', () => {
  const headOf = (change: object) => fromHfConfig({ ...bert, ...change }).head
  const one = { id2label: { 0: 'LABEL_0' } }
  const score = { kind: 'classify', labels: ['LABEL_0'] }
  expect(headOf(one)).toEqual({ ...score, outputs: 'raw' })
  const sigmoid = 'torch.nn.modules.activation.Sigmoid'
  expect(headOf({ ...one, sentence_transformers: { activation_fn: sigmoid } })).toEqual({
    ...score,
    pairs: true,
    outputs: 'sigmoid',
  })
  const identity = 'torch.nn.modules.linear.Identity'
  expect(headOf({ ...one, sbert_ce_default_activation_function: identity })).toEqual({
    ...score,
    pairs: true,
    outputs: 'raw',
  })
  const labels = ['negative', 'positive']
  expect(headOf({ problem_type: 'multi_label_classification' })).toEqual({
    kind: 'classify',
    labels,
    outputs: 'sigmoid',
  })
  expect(headOf({ architectures: ['BertForTokenClassification'] })).toEqual({ kind: 'tag', labels })
})

test('RoBERTa counts positions from behind its padding id', () => {
  const roberta = {
    ...bert,
    model_type: 'roberta',
    architectures: ['RobertaForMaskedLM'],
    max_position_embeddings: 514,
    type_vocab_size: 1,
    pad_token_id: 1,
  }
  expect(fromHfConfig(roberta)).toMatchObject({ arch: 'roberta', context: 512, positionOffset: 2, types: 1 })
})

describe('what is written is read back', () => {
  const configs: ModelConfig[] = [
    benchConfigs.gpt2,
    benchConfigs['15m'],
    fromHfConfig(llama),
    fromHfConfig({ ...llama, rope_scaling: { type: 'dynamic', factor: 2 } }),
    fromHfConfig({ ...llama, head_dim: 128 }),
    fromHfConfig({ ...llama, rope_scaling: { type: 'yarn', factor: 4 } }),
    fromHfConfig({ ...llama, model_type: 'qwen2' }),
    fromHfConfig({ ...llama, model_type: 'qwen3' }),
    fromHfConfig(gemmaOf('gemma')),
    fromHfConfig({ ...gemmaOf('gemma2'), query_pre_attn_scalar: 144, attn_logit_softcapping: null }),
    fromHfConfig({ ...gemmaOf('gemma3_text'), rope_scaling: { rope_type: 'linear', factor: 8 } }),
    fromHfConfig(stablelm),
    fromHfConfig({ ...stablelm, use_qkv_bias: true, partial_rotary_factor: 0.5 }),
    fromHfConfig(phi3),
    fromHfConfig(bert),
    fromHfConfig({ ...bert, id2label: { 0: 'score' } }),
    fromHfConfig({ ...bert, problem_type: 'multi_label_classification' }),
    fromHfConfig({ ...bert, architectures: ['BertForTokenClassification'] }),
    fromHfConfig({ ...bert, model_type: 'electra', embedding_size: 64 }),
    fromHfConfig({ ...bert, model_type: 'albert', embedding_size: 64 }),
    fromHfConfig({
      ...bert,
      model_type: 'distilbert',
      architectures: ['DistilBertForSequenceClassification'],
    }),
    fromHfConfig({ ...bert, model_type: 'roberta', architectures: ['RobertaForMaskedLM'] }),
    fromHfConfig({ ...bert, architectures: ['BertModel'] }),
  ]
  test.each(configs)('$arch', (config) => expect(fromHfConfig(toHfConfig(config))).toEqual(config))
})

test.each([
  [{ ...llama, quantization_config: { quant_method: 'gptq', bits: 4 } }, 'quantized by gptq'],
  [{ ...llama, quantization_config: { quant_method: 'fp8' } }, 'quantized by fp8'],
  [{ ...llama, quantization_config: { load_in_4bit: true } }, 'quantized by bitsandbytes'],
  [{ model_type: 't5' }, 'model_type "t5" is not supported'],
  [{ ...llama, architectures: ['LlamaForSequenceClassification'] }, '["LlamaForSequenceClassification"]'],
  [{ ...llama, model_type: 'mistral', architectures: ['MistralModel'] }, '["MistralModel"]'],
  [{ ...llama, model_type: 'gpt2', architectures: ['GPT2ForSequenceClassification'] }, '"architectures"'],
  [{ ...bert, id2label: { 0: 'a', 1: 'b', 2: 'a' } }, 'both 0 and 2 "a"'],
  [{ ...llama, model_type: 'qwen3', attention_bias: true }, '"attention_bias"'],
  [{ ...llama, model_type: 'qwen3_moe' }, 'several experts'],
  [{ ...llama, attention_bias: true }, '"attention_bias"'],
  [{ ...llama, rope_interleaved: true }, '"rope_interleaved"'],
  [{ ...llama, head_dim: 63 }, 'heads of 63 components'],
  [{ ...llama, rope_scaling: { rope_type: 'cubic', factor: 2 } }, '"cubic"; supported are'],
  [{ ...llama, rope_scaling: { rope_type: 'yarn' } }, '"factor" above 0'],
  [{ ...phi3, rope_scaling: { ...longrope, long_factor: [1] } }, 'each of the 48 pairs'],
  [{ ...phi3, rope_scaling: { ...longrope, short_factor: 'x' } }, '"short_factor" of numbers'],
  [{ ...phi3, partial_rotary_factor: 0.75 }, 'each of the 36 pairs'],
  [{ ...gemmaOf('gemma3_text'), use_bidirectional_attention: true }, '"use_bidirectional_attention"'],
  [{ ...gemmaOf('gemma'), hidden_activation: 'silu' }, '"hidden_act" is "silu"'],
  [{ ...gemmaOf('gemma2'), attn_logit_softcapping: -1 }, '"attn_logit_softcapping"'],
  [gemmaOf('gemma3'), 'it reads pictures'],
  [{ ...llama, partial_rotary_factor: 0.5 }, '"partial_rotary_factor"'],
  [{ ...stablelm, partial_rotary_factor: 0.01 }, 'does not make pairs'],
  [{ ...stablelm, qk_layernorm: true }, '"qk_layernorm"'],
  [{ ...stablelm, use_parallel_residual: true }, '"use_parallel_residual"'],
  [{ ...llama, rope_scaling: { rope_type: 'linear' } }, '"factor" above 0'],
  [{ ...llama, num_hidden_layers: undefined }, '"num_hidden_layers" must be a number'],
  [{ ...llama, num_key_value_heads: 5 }, '5 key heads do not divide'],
  [{ ...llama, hidden_act: 'gelu' }, '"hidden_act" is "gelu"'],
  [{ ...bert, architectures: ['BertForQuestionAnswering'] }, '"architectures"'],
  [{ ...bert, position_embedding_type: 'relative_key' }, 'position_embedding_type'],
  [{ ...bert, problem_type: 'ranking' }, 'problem_type'],
  [{ ...bert, id2label: { 0: 'a', 2: 'b' } }, 'none for 1'],
  [{ ...bert, id2label: { 0: 'score' }, problem_type: 'single_label_classification' }, 'two labels or more'],
  [{ ...bert, model_type: 'electra', architectures: ['ElectraForPreTraining'] }, 'fine-tune it first'],
  [
    { ...bert, model_type: 'electra', embedding_size: 64, architectures: ['ElectraForMaskedLM'] },
    '"embedding_size"',
  ],
  [{ ...bert, model_type: 'albert', num_hidden_groups: 2 }, '"num_hidden_groups"'],
])('refused by name: %j', (json, message) => {
  expect(() => fromHfConfig(json, 'x/config.json')).toThrow(HfConfigError)
  expect(() => fromHfConfig(json, 'x/config.json')).toThrow(/^x\/config\.json: /)
  expect(() => fromHfConfig(json)).toThrow(message)
})

test.each([
  ['num_hidden_layers', { num_hidden_layers: 1e9 }],
  ['num_hidden_layers', { num_hidden_layers: 0 }],
  ['vocab_size', { vocab_size: 2 ** 31 }],
  ['num_labels', { id2label: undefined, num_labels: 4e9 }],
])('a %s that would fill the memory is refused', (field, change) => {
  expect(() => fromHfConfig({ ...bert, ...change })).toThrow(HfConfigError)
  expect(() => fromHfConfig({ ...bert, ...change })).toThrow(field)
})
