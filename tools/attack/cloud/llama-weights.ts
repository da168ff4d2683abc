/** The matrices of a LLaMA, as attacks multiply by them. */
import { headDim, type ModelConfig, type Tensors } from '../../../src/model/architectures/config.ts'
import { llama } from '../../../src/model/architectures/llama.ts'
import { architectureOf } from '../../../src/model/architectures/registry.ts'
import { AttackError } from '../error.ts'

export interface LlamaLayer {
  readonly attentionGain: Float32Array
  readonly query: Float32Array
  readonly key: Float32Array
  readonly value: Float32Array
  readonly output: Float32Array
  readonly feedForwardGain: Float32Array
  readonly gate: Float32Array
  readonly up: Float32Array
  readonly down: Float32Array
}

export interface LlamaWeights {
  readonly config: ModelConfig
  readonly width: number
  readonly embedding: Float32Array
  readonly head: Float32Array
  readonly finalGain: Float32Array
  readonly layers: readonly LlamaLayer[]
}

/** Throws {@link AttackError} for other forms, and for biases, which no attack here has a use for. */
export function llamaWeights(config: ModelConfig, tensors: Tensors): LlamaWeights {
  if (architectureOf(config) !== llama)
    throw new AttackError(`This attack is written for LLaMA, not for ${config.arch}.`)
  const of = (name: string): Float32Array => {
    const tensor = tensors.get(name)
    if (!tensor) throw new AttackError(`The model has no tensor "${name}".`)
    return tensor.data
  }
  if ([...tensors.keys()].some((name) => name.endsWith('.bias')))
    throw new AttackError('This attack is written for models without biases.')
  const embedding = of('model.embed_tokens.weight')
  return {
    config,
    width: headDim(config),
    embedding,
    head: config.tied ? embedding : of('lm_head.weight'),
    finalGain: of('model.norm.weight'),
    layers: Array.from({ length: config.layers }, (_, l) => {
      const at = (name: string): Float32Array => of(`model.layers.${l}.${name}.weight`)
      return {
        attentionGain: at('input_layernorm'),
        query: at('self_attn.q_proj'),
        key: at('self_attn.k_proj'),
        value: at('self_attn.v_proj'),
        output: at('self_attn.o_proj'),
        feedForwardGain: at('post_attention_layernorm'),
        gate: at('mlp.gate_proj'),
        up: at('mlp.up_proj'),
        down: at('mlp.down_proj'),
      }
    }),
  }
}
