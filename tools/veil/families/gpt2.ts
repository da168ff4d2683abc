/** GPT-2 (Radford et al., 2019): LayerNorm before each block, learned positions, matrices stored `[in, out]`. */
import { headSpace } from '../heads.ts'
import { endSpace, units } from '../space.ts'
import { type Axis, type Family, norm, perLayer, read, type TensorSpec, write } from '../tensor-spec.ts'

/** x W + b. */
const conv = (prefix: string, input: Axis, output: Axis | readonly Axis[]): TensorSpec[] => [
  { name: `${prefix}.weight`, axes: [input, output] },
  { name: `${prefix}.bias`, axes: [output] },
]

export const gpt2: Family = {
  name: 'gpt2',
  modelTypes: ['gpt2'],
  tiesByDefault: true,
  describe(reader, has) {
    const prefix = has('transformer.wte.weight') ? 'transformer.' : ''
    const dim = reader.size('n_embd', 768)
    const heads = reader.size('n_head', 12)
    if (dim % heads !== 0) reader.complain(`${heads} heads do not divide the width ${dim}.`)
    const inner = typeof reader.json.n_inner === 'number' ? reader.size('n_inner') : 4 * dim
    const ends = {
      tokens: { kind: 'items', size: reader.size('vocab_size', 50257) },
      rows: { kind: 'stream', size: dim, norm: 'layer' },
    } as const
    const tokens = endSpace('tokens', ends.tokens)
    const stream = endSpace('rows', ends.rows)
    const layers = perLayer(reader.layers('n_layer', 12), (layer) => {
      const at = `${prefix}h.${layer}`
      const own = headSpace(`h.${layer}.attention`, {
        heads,
        kvHeads: heads,
        width: dim / heads,
        between: 'nothing',
      })
      const hidden = units(`h.${layer}.mlp`, inner)
      return [
        ...norm(`${at}.ln_1`, stream, true),
        ...conv(
          `${at}.attn.c_attn`,
          read(stream, `${at}.ln_1`),
          ['query', 'key', 'value'].map((part) => write(own, part)),
        ),
        ...conv(`${at}.attn.c_proj`, read(own, undefined, 'mixed'), write(stream)),
        ...norm(`${at}.ln_2`, stream, true),
        ...conv(`${at}.mlp.c_fc`, read(stream, `${at}.ln_2`), write(hidden)),
        ...conv(`${at}.mlp.c_proj`, read(hidden), write(stream)),
      ]
    })
    const tensors: TensorSpec[] = [
      { name: `${prefix}wte.weight`, axes: [write(tokens), write(stream)] },
      { name: `${prefix}wpe.weight`, axes: [{ plain: reader.size('n_positions', 1024) }, write(stream)] },
      ...layers,
      ...norm(`${prefix}ln_f`, stream, true),
      {
        name: 'lm_head.weight',
        axes: [write(tokens), read(stream, `${prefix}ln_f`)],
        tied: `${prefix}wte.weight`,
      },
    ]
    return { tensors, ends }
  },
}
