/** DistilBERT: BERT with half the layers, without token types and pooler (Sanh et al., 2019). */
import type { Architecture } from './architecture.ts'
import { bert, encoderAliases } from './bert.ts'
import type { ModelConfig } from './config.ts'
import { classOf, headOf, headToHf } from './hf-encoder-head.ts'
import { activationToHf, type HfConfig, type HfReader } from './hf-reader.ts'

export const distilbert: Architecture = {
  ...bert,
  name: 'distilbert',
  tensors: {
    tables: {
      token: 'distilbert.embeddings.word_embeddings.weight',
      position: 'distilbert.embeddings.position_embeddings.weight',
    },
    layers: 'distilbert.transformer.layer',
    qkv: ['attention.q_lin', 'attention.k_lin', 'attention.v_lin'],
    attentionOutput: 'attention.out_lin',
    feedForward: ['ffn.lin1'],
    feedForwardOutput: 'ffn.lin2',
    norms: {
      placement: 'post',
      embedding: 'distilbert.embeddings.LayerNorm',
      attention: 'sa_layer_norm',
      feedForward: 'output_layer_norm',
    },
    head: {
      decoder: 'vocab_projector.weight',
      decoderBias: 'vocab_projector.bias',
      transform: 'vocab_transform',
      transformNorm: 'vocab_layer_norm',
      pool: 'pre_classifier',
      poolActivation: 'relu',
      classifier: 'classifier',
      tagger: 'classifier',
    },
  },
  aliases: (tensor) => encoderAliases('distilbert', tensor),
  huggingFace: { modelTypes: ['distilbert'], read, write },
}

function read(reader: HfReader): ModelConfig {
  const heads = reader.size('n_heads', 12)
  const head = headOf(reader)
  const config: ModelConfig = {
    arch: 'distilbert',
    vocab: reader.size('vocab_size'),
    dim: reader.size('dim', 768),
    layers: reader.layers('n_layers', 6),
    heads,
    kvHeads: heads,
    ff: reader.size('hidden_dim', 3072),
    eps: 1e-12,
    context: reader.size('max_position_embeddings', 512),
    activation: reader.activation('activation', ['gelu', 'gelu_tanh', 'silu', 'relu'], 'gelu'),
    tied: reader.json.tie_word_embeddings !== false,
    ...(head ? { head } : {}),
  }
  reader.divides(config)
  return config
}

function write(c: ModelConfig): HfConfig {
  return {
    architectures: [`DistilBert${classOf(c.head)}`],
    model_type: 'distilbert',
    vocab_size: c.vocab,
    dim: c.dim,
    n_layers: c.layers,
    n_heads: c.heads,
    hidden_dim: c.ff,
    activation: activationToHf[c.activation],
    max_position_embeddings: c.context,
    tie_word_embeddings: c.tied,
    ...headToHf(c.head),
  }
}
