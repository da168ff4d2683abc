/** ModernBERT (Warner et al., 2024), written once more from the paper and its authors' description. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import type { TwinText } from './bert.ts'
import {
  activation,
  attend,
  layerNorm,
  plus,
  rowOf,
  type TwinTensors,
  times,
  type Values,
  type Vector,
} from './formulas.ts'

/** RoFormer's rotation of a row of heads, halves of a head against one another. */
function turned(c: ModelConfig, x: Vector, position: number, theta: number): Vector {
  const width = c.dim / c.heads
  const half = width / 2
  return x.map((value, j) => {
    const i = j % width
    const angle = position * theta ** (-(i % half) / half)
    const other = i < half ? -x[j + half] : x[j - half]
    return value * Math.cos(angle) + other * Math.sin(angle)
  })
}

/** Last hidden states, and logits of a head: of the labels, of labels by token, or by token of the vocabulary. */
export function modernbertTwin(
  c: ModelConfig,
  tensors: TwinTensors,
  { ids }: TwinText,
): { hidden: Vector[]; logits?: Vector[] } {
  const get = (name: string): Values => tensors.get(name)!.data
  const none = new Float64Array(c.dim)
  const norm = (x: Vector, name: string): Vector => layerNorm(x, get(`${name}.weight`), none, c.eps)
  const dense = (x: Vector, name: string): Vector => times(get(`${name}.weight`), x)
  const { gelu } = activation
  const embedding = get('model.embeddings.tok_embeddings.weight')

  let xs = ids.map((id) => norm(rowOf(embedding, c.dim, id), 'model.embeddings.norm'))
  for (let l = 0; l < c.layers; l++) {
    const at = `model.layers.${l}.`
    const isLocal = c.localRotary?.layers.includes(l) ?? false
    const theta = isLocal ? c.localRotary!.theta : c.ropeTheta!
    const reach = (isLocal && c.localRotary!.window) || Infinity
    const qkv = xs.map((x) => dense(l === 0 ? x : norm(x, `${at}attn_norm`), `${at}attn.Wqkv`))
    const qs = qkv.map((y, t) => turned(c, y.slice(0, c.dim), t, theta))
    const ks = qkv.map((y, t) => turned(c, y.slice(c.dim, 2 * c.dim), t, theta))
    const vs = qkv.map((y) => y.slice(2 * c.dim))
    xs = xs.map((x, t) => {
      const isNear = (_: Vector, p: number): boolean => Math.abs(p - t) <= reach
      return plus(x, dense(attend(c, qs[t], ks.filter(isNear), vs.filter(isNear)), `${at}attn.Wo`))
    })
    xs = xs.map((x) => {
      const both = dense(norm(x, `${at}mlp_norm`), `${at}mlp.Wi`)
      const inner = both.slice(0, c.ff).map((value, i) => gelu(value) * both[c.ff + i])
      return plus(x, dense(inner, `${at}mlp.Wo`))
    })
  }
  const hidden = xs.map((x) => norm(x, 'model.final_norm'))
  if (!c.head) return { hidden }
  const through = (x: Vector): Vector => norm(dense(x, 'head.dense').map(gelu), 'head.norm')
  const labels = (x: Vector): Vector => plus(dense(x, 'classifier'), [...get('classifier.bias')])
  if (c.head.kind === 'tag') return { hidden, logits: hidden.map((x) => labels(through(x))) }
  if (c.head.kind === 'classify') {
    const mean = plus(...hidden).map((value) => value / hidden.length)
    return { hidden, logits: [labels(through(c.head.pooling === 'mean' ? mean : hidden[0]))] }
  }
  const decoder = c.tied ? embedding : get('decoder.weight')
  const logits = hidden.map((x) => plus(times(decoder, through(x)), [...get('decoder.bias')]))
  return { hidden, logits }
}
