import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { headNames } from '../../src/model/architectures/encoder.ts'
import { softCrossEntropy } from '../onnx/loss.ts'
import { type Parameters, summed } from '../onnx/parameters.ts'
import { PerExample } from '../onnx/per-example.ts'
import { Tape, type Value } from '../onnx/tape.ts'
import { EncoderGraph } from '../pretrain/forward.ts'

/** What a graph is asked for: probabilities only, sums of gradients, or sums of gradients clipped by example. */
export type GraphKind = 'predict' | 'sum' | 'clip'

/** The three tables that are summed to embed a token; their gradients are scattered outside the graph. */
export const isEmbeddingTable = (name: string): boolean =>
  /embeddings\.(word|position|token_type)_embeddings\.weight$/.test(name)

/**
 * A classifier's graph for `examples` texts of `length` tokens. Besides the encoder's inputs it reads `targets`
 * (probabilities, `[examples, labels]`), `weights` `[examples, 1]` (0 for empty rows) and, to clip, `clip` `[]`. Outputs:
 * `logits`; and unless it only predicts, `losses` `[examples, 1]`, `d NAME` for the trained tensors, `d embedded` if
 * tables are among them, and `norms` `[examples, 1]` when it clips. Throws for tables that would have to be clipped.
 */
export function classifyGraph(
  config: ModelConfig,
  examples: number,
  length: number,
  kind: GraphKind,
  trained: ReadonlySet<string>,
): Uint8Array {
  if (config.head?.kind !== 'classify') throw new Error('Fine-tuning needs a classification head.')
  const t = new Tape()
  let clipping: PerExample | undefined
  const parameters = (weights: ReadonlyMap<string, Value>): Parameters => {
    if (kind !== 'clip') return summed(t)
    clipping = new PerExample(t, examples, new Set([...trained].map((name) => weights.get(name)!)))
    return clipping
  }
  const tables = [...trained].filter(isEmbeddingTable)
  if (kind === 'clip' && tables.length > 0)
    throw new Error(
      `"${tables[0]}" cannot be clipped by example: private training leaves the tables as they are.`,
    )
  const model = new EncoderGraph(t, config, [examples, length], parameters)
  const logits = model.dense(model.pooled(model.hidden()), headNames(config).classifier)
  t.output('logits', logits)
  if (kind === 'predict') return t.model()
  const labels = config.head.labels.length
  const loss = softCrossEntropy(
    t,
    logits,
    t.input('targets', [examples, labels]),
    t.input('weights', [examples, 1]),
  )
  t.backward()
  t.output('losses', loss)
  if (clipping) {
    const { sums, norms } = clipping.clipped(t.input('clip', []))
    t.output('norms', norms)
    for (const [weight, sum] of sums) t.output(`d ${weight.name}`, sum)
    return t.model()
  }
  if (tables.length > 0) t.output('d embedded', t.gradient(model.embedded))
  for (const name of trained)
    if (!isEmbeddingTable(name)) t.output(`d ${name}`, t.gradient(model.weight(name)))
  return t.model()
}
