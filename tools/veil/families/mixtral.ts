/** Mixtral (Jiang et al., 2024): a router, and experts that may be reordered as well. */
import { gatedUnits, units } from '../space.ts'
import { type Family, read, write } from '../tensor-spec.ts'
import { type FeedForward, rotaryDecoder } from './llama.ts'

export const mixtral: Family = {
  name: 'mixtral',
  modelTypes: ['mixtral'],
  tiesByDefault: false,
  describe(reader) {
    const { tensors, ends } = rotaryDecoder(reader, 'model', 'lm_head.weight', experts)
    return { tensors, ends }
  },
}

/** `w1` is the gate, `w3` is up, `w2` is down. An expert that has moved has the inner key of its new place. */
const experts: FeedForward = (reader, at, stream, norm) => {
  const count = reader.size('num_local_experts', 8)
  const size = reader.size('intermediate_size', 14336)
  const block = `${at}.block_sparse_moe`
  const order = units(`${block}.experts`, count)
  const one = (index: number) => {
    const inner = gatedUnits(`${block}.experts.${index}`, size)
    const matrices = {
      w1: [write(inner, 'gate'), read(stream, norm)],
      w2: [write(stream), read(inner, undefined, 'up')],
      w3: [write(inner, 'up'), read(stream, norm)],
    }
    return Object.entries(matrices).map(([matrix, axes]) => {
      const name = (i: number) => `${block}.experts.${i}.${matrix}.weight`
      return { name: name(index), axes, moved: { space: order, index, name } }
    })
  }
  return [
    { name: `${block}.gate.weight`, axes: [write(order), read(stream, norm)] },
    ...Array.from({ length: count }, (_, index) => one(index)).flat(),
  ]
}
