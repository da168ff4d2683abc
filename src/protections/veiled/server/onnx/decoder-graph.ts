/** A decoder's step: ids in, the likeliest next tokens out, keys and values kept by whoever runs it. */
import type { Checkpoint } from '../checkpoint.ts'
import { EngineError } from '../engine.ts'
import type { Attend, DecoderFamily } from './decoder-family.ts'
import { gpt2 } from './gpt2.ts'
import { Graph } from './graph.ts'
import { llama } from './llama.ts'
import { Weights } from './weights.ts'

const families: readonly DecoderFamily[] = [llama, gpt2]

/** The decoder family of a checkpoint, if it is one. */
export const decoderFamily = (modelType: unknown): DecoderFamily | undefined =>
  families.find(({ modelTypes }) => modelTypes.includes(String(modelType)))

/**
 * The graph. Inputs: `ids` and, where the family adds positions, `positions`, both `[texts, tokens]`; `lengths` `[texts]`,
 * each the text's tokens less one, and `length`, the longest; `key0`, `value0` and so on, `[texts, kvHeads, room, width]`.
 * With `pictureDim`, also `pictures` `[texts, tokens, pictureDim]`: rows that stand in place of a token's where `shown`
 * `[texts, tokens, 1]` says so. Outputs: `logits` and `tokens` `[texts, top]`, and the caches as `key0_out` and so on, in
 * the same room.
 */
export function decoderGraph(
  family: DecoderFamily,
  checkpoint: Checkpoint,
  top: number,
  pictureDim?: number,
): Uint8Array {
  const sizes = family.sizes(checkpoint)
  const { heads, kvHeads, width, rotary, context } = sizes
  // What the attention kernel works on.
  const unit = rotary ? 16 : 8
  if (width % unit !== 0)
    throw new EngineError(
      `Heads of ${width} numbers can't be run by ONNX Runtime, which takes multiples of ${unit}. Use --engine llama.`,
    )
  const graph = new Graph()
  const weights = new Weights(graph, checkpoint.tensors)
  const ids = graph.input('ids', ['texts', 'tokens'], 'int64')
  const lengths = graph.input('lengths', ['texts'], 'int32')
  const length = graph.input('length', [], 'int32')
  const tables =
    rotary && [rotary.cos, rotary.sin].map((table) => graph.constant(table, [context, width / 2]))
  const attend: Attend = (layer, query, key, value) => {
    const caches = [`key${layer}`, `value${layer}`]
    const past = caches.map((name) => graph.input(name, ['texts', kvHeads, 'room', width]))
    const inputs = [query, key, value, ...past, lengths, length, ...(tables ?? [])]
    const [mixed, ...present] = graph.contrib('GroupQueryAttention', inputs, 3, {
      num_heads: heads,
      kv_num_heads: kvHeads,
      do_rotary: rotary ? 1 : 0,
      scale: { float: 1 / Math.sqrt(width) },
    })
    caches.forEach((name, i) => {
      graph.output(`${name}_out`, present[i])
    })
    return mixed
  }
  const embed = (table: string) => {
    const own = graph.op('Gather', [weights.constant(table), ids])
    if (pictureDim === undefined) return own
    const pictures = graph.input('pictures', ['texts', 'tokens', pictureDim])
    return graph.op('Where', [graph.input('shown', ['texts', 'tokens', 1], 'bool'), pictures, own])
  }
  const positions = () => graph.input('positions', ['texts', 'tokens'], 'int64')
  const rows = family.rows({ graph, weights, checkpoint, sizes, embed, positions, attend })
  const last = graph.op('Gather', [rows, graph.constant(BigInt64Array.of(-1n), [])], { axis: 1 })
  const logits = weights.head(last, family.head)
  const [best, tokens] = graph.ops('TopK', [logits, graph.integers(top)], 2, { axis: -1 })
  graph.output('logits', best)
  graph.output('tokens', tokens, 'int64')
  return graph.model()
}
