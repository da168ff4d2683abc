/** What checkpoints call the tensors that a bundle calls by one name each. */

import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { continuesText } from '../../src/model/graph/graph-of.ts'

/** Names under which a tensor may be found, the usual one first. */
export function namesInCheckpoint(config: ModelConfig, name: string): string[] {
  const names = [name]
  if (config.arch === 'gpt2' && !name.startsWith('lm_head')) names.push(`transformer.${name}`)
  if (config.arch === 'llama') names.push(name.replace(/^model\./, ''))
  if (!continuesText(config)) {
    names.push(name.replace(`${config.arch}.`, ''))
    // XLM-RoBERTa and CamemBERT keep RoBERTa's prefix; the first BERT checkpoints had TensorFlow's names for gains.
    for (const known of [...names])
      names.push(
        known.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'),
      )
    if (name === 'cls.predictions.bias') names.push('cls.predictions.decoder.bias')
    if (name === 'lm_head.bias') names.push('lm_head.decoder.bias')
  }
  return [...new Set(names)]
}

/** The output head and the embedding, for models in which one may be the other. */
export const headAndEmbedding: Record<ModelConfig['arch'], readonly [head: string, embedding: string]> = {
  gpt2: ['lm_head.weight', 'wte.weight'],
  llama: ['lm_head.weight', 'model.embed_tokens.weight'],
  bert: ['cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'],
  roberta: ['lm_head.decoder.weight', 'roberta.embeddings.word_embeddings.weight'],
}

/** Buffers that hold nothing learned: masks, position numbers, tables of angles. */
export const isBuffer = (name: string): boolean =>
  /(\.attn\.(bias|masked_bias)|position_ids|token_type_ids|rotary_emb\.inv_freq)$/.test(name)

/** Whether a tensor belongs to a layer, where nothing may be left out. */
export const isOfLayer = (name: string): boolean => /(^|\.)(layers|layer|h)\.\d+\./.test(name)
