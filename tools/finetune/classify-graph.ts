import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { softCrossEntropy } from '../onnx/loss.ts'
import { ModelTape } from '../onnx/model-tape.ts'
import { type Parameters, summed } from '../onnx/parameters.ts'
import { PerExample } from '../onnx/per-example.ts'
import { Tape, type Value } from '../onnx/tape.ts'

/** What a graph is asked for: probabilities only, sums of gradients, or sums of gradients clipped by example. */
export type GraphKind = 'predict' | 'sum' | 'clip'

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
  // Gradients of the tables that are summed to embed a token are scattered outside the graph.
  const isTable = (name: string): boolean => graphOf(config).tables.some(({ tensor }) => tensor === name)
  const tables = [...trained].filter(isTable)
  if (kind === 'clip' && tables.length > 0)
    throw new Error(
      `"${tables[0]}" cannot be clipped by example: private training leaves the tables as they are.`,
    )
  const model = new ModelTape(t, config, [examples, length], parameters)
  const logits = model.labelLogits(model.hidden())
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
  for (const name of trained) if (!isTable(name)) t.output(`d ${name}`, t.gradient(model.weight(name)))
  return t.model()
}
