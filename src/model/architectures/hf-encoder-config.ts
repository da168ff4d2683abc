import type { Activation, ModelConfig } from './config.ts'
import { classOf, headOf, headToHf } from './hf-encoder-head.ts'
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
  const dim = read.size('hidden_size')
  const width =
    typeof json.embedding_size === 'number' ? read.size('embedding_size', undefined, 1 << 16) : undefined
  const positions = read.size('max_position_embeddings')
  const head = headOf(read)
  const config: ModelConfig = {
    arch,
    vocab: read.size('vocab_size'),
    ...(width === undefined || width === dim ? {} : { embedding: width }),
    dim,
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
  refuseNarrowTokens(read, config)
  return config
}

/** A head over tokens would be as wide as the tables. */
function refuseNarrowTokens(read: HfReader, { embedding, head }: ModelConfig): void {
  if (embedding !== undefined && head?.kind === 'mlm')
    read.refuse('embedding_size', 'a masked language model needs an embedding as wide as its layers')
}

/** As `readEncoder` takes it back; `name` is what Hugging Face's classes begin with. */
export function encoderToHf(c: ModelConfig, name: string): HfConfig {
  return {
    architectures: [`${name}${classOf(c.head)}`],
    model_type: c.arch,
    ...(c.embedding === undefined ? {} : { embedding_size: c.embedding }),
    hidden_size: c.dim,
    num_hidden_layers: c.layers,
    num_attention_heads: c.heads,
    intermediate_size: c.ff,
    hidden_act: activationToHf[c.activation],
    layer_norm_eps: c.eps,
    max_position_embeddings: c.context + (c.positionOffset ?? 0),
    type_vocab_size: c.types ?? 1,
    ...(c.positionOffset ? { pad_token_id: c.positionOffset - 1 } : {}),
    ...headToHf(c.head),
    vocab_size: c.vocab,
    tie_word_embeddings: c.tied,
  }
}
