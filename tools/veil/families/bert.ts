/** BERT and RoBERTa (Devlin et al., 2019; Liu et al., 2019): a norm's result is carried on, so their stream is permuted only. */
import type { HfReader } from '../../../src/model/architectures/hf-reader.ts'
import type { End } from '../../../src/protections/veiled/ends.ts'
import { headSpace } from '../heads.ts'
import { endSpace, oddUnits, type Space, units } from '../space.ts'
import {
  type Described,
  dense,
  type EndName,
  type Family,
  norm,
  perLayer,
  read,
  type TensorSpec,
  write,
} from '../tensor-spec.ts'
import { labelsOf, unnamedLabels } from './labels.ts'

/** What the two call the parts behind the last layer. */
interface HeadNames {
  readonly pool: string
  readonly labels: string
  readonly transform: string
  readonly transformNorm: string
  readonly decoder: string
  readonly decoderBias: string
  /** Under which newer files have the decoder's bias once more. */
  readonly decoderBiasToo: string
}

const bertHeads: HeadNames = {
  pool: 'bert.pooler.dense',
  labels: 'classifier',
  transform: 'cls.predictions.transform.dense',
  transformNorm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder.weight',
  decoderBias: 'cls.predictions.bias',
  decoderBiasToo: 'cls.predictions.decoder.bias',
}

const robertaHeads: HeadNames = {
  pool: 'classifier.dense',
  labels: 'classifier.out_proj',
  transform: 'lm_head.dense',
  transformNorm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder.weight',
  decoderBias: 'lm_head.bias',
  decoderBiasToo: 'lm_head.decoder.bias',
}

export const bert: Family = {
  name: 'bert',
  modelTypes: ['bert'],
  tiesByDefault: true,
  describe: (reader, has) => encoder(reader, has, 'bert', bertHeads, []),
  rewrite: unnamedLabels,
}

export const roberta: Family = {
  name: 'roberta',
  modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
  tiesByDefault: true,
  // The padding id counts positions, too: it keeps its number.
  describe: (reader, has) =>
    encoder(reader, has, 'roberta', robertaHeads, [reader.number('pad_token_id', 1)]),
  rewrite: unnamedLabels,
}

function encoder(
  reader: HfReader,
  has: (tensor: string) => boolean,
  name: string,
  names: HeadNames,
  fixed: readonly number[],
): Described {
  if (reader.json.is_decoder) reader.refuse('is_decoder', 'only encoders are')
  if ((reader.json.position_embedding_type ?? 'absolute') !== 'absolute')
    reader.refuse('position_embedding_type', 'only absolute positions are')
  const prefix = has(`${name}.embeddings.word_embeddings.weight`) ? `${name}.` : ''
  const dim = reader.size('hidden_size', 768)
  const tokensEnd: End = { kind: 'items', size: reader.size('vocab_size', 30522), fixed }
  const rows: End = { kind: 'stream', size: dim, norm: 'carried' }
  const [tokens, stream] = [endSpace('tokens', tokensEnd), endSpace('rows', rows)]
  const table = (what: string, rows: Parameters<typeof write>[0] | number): TensorSpec => ({
    name: `${prefix}embeddings.${what}_embeddings.weight`,
    axes: [typeof rows === 'number' ? { plain: rows } : write(rows), write(stream)],
  })
  const classifies = has(`${names.labels}.weight`)
  const predicts = has(`${names.transform}.weight`)
  const labels = classifies ? labelsOf(reader) : undefined
  const ends: Partial<Record<EndName, End>> = {
    tokens: tokensEnd,
    rows,
    ...(labels ? { labels: { kind: 'items', size: labels.length } as const } : {}),
  }
  return {
    tensors: [
      table('word', tokens),
      table('position', reader.size('max_position_embeddings', 512)),
      table('token_type', reader.size('type_vocab_size', 2)),
      ...norm(`${prefix}embeddings.LayerNorm`, stream, true),
      ...perLayer(reader.layers('num_hidden_layers', 12), (layer) =>
        layerOf(reader, `${prefix}encoder.layer.${layer}`, `layer.${layer}`, stream, dim),
      ),
      ...(classifies && ends.labels
        ? classifier(names, stream, endSpace('labels', ends.labels), dim)
        : // Hidden states are read by owners, so what is pooled of them stays in their basis.
          dense(`${prefix}pooler.dense`, write(stream), read(stream), 'maybe').map(optional)),
      ...(predicts ? predictions(names, prefix, stream, tokens, dim) : []),
    ],
    ends,
    ...(labels ? { labels } : {}),
    ...(classifies || predicts ? {} : { givesRows: true }),
  }
}

const optional = (spec: TensorSpec): TensorSpec => ({ ...spec, isOptional: true })

function layerOf(reader: HfReader, at: string, id: string, stream: Space, dim: number): TensorSpec[] {
  const heads = reader.size('num_attention_heads', 12)
  if (dim % heads !== 0) reader.complain(`${heads} heads do not divide the width ${dim}.`)
  const own = headSpace(`${id}.attention`, { heads, kvHeads: heads, width: dim / heads, between: 'nothing' })
  const hidden = units(`${id}.feed-forward`, reader.size('intermediate_size', 4 * dim))
  return [
    ...(['query', 'key', 'value'] as const).flatMap((part) =>
      dense(`${at}.attention.self.${part}`, write(own, part), read(stream), 'bias'),
    ),
    ...dense(`${at}.attention.output.dense`, write(stream), read(own, undefined, 'mixed'), 'bias'),
    ...norm(`${at}.attention.output.LayerNorm`, stream, true),
    ...dense(`${at}.intermediate.dense`, write(hidden), read(stream), 'bias'),
    ...dense(`${at}.output.dense`, write(stream), read(hidden), 'bias'),
    ...norm(`${at}.output.LayerNorm`, stream, true),
  ]
}

function classifier(names: HeadNames, stream: Space, labels: Space, dim: number): TensorSpec[] {
  const pool = oddUnits('pool', dim)
  return [
    ...dense(names.pool, write(pool), read(stream), 'bias'),
    ...dense(names.labels, write(labels), read(pool), 'bias'),
  ]
}

function predictions(
  names: HeadNames,
  prefix: string,
  stream: Space,
  tokens: Space,
  dim: number,
): TensorSpec[] {
  const transform = units('transform', dim)
  return [
    ...dense(names.transform, write(transform), read(stream), 'bias'),
    ...norm(names.transformNorm, transform, true),
    {
      name: names.decoder,
      axes: [write(tokens), read(transform)],
      tied: `${prefix}embeddings.word_embeddings.weight`,
    },
    { name: names.decoderBias, axes: [write(tokens)] },
    { name: names.decoderBiasToo, axes: [write(tokens)], tied: names.decoderBias },
  ]
}
