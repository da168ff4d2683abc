/** Encoders of pictures, as parts of a graph. */
import { patchSize, type TowerConfig, type TowerForm } from '../../../../model/pictures/tower.ts'
import { activate } from './activate.ts'
import type { Graph, Value } from './graph.ts'
import type { Weights } from './weights.ts'

/** Patches `[1, patches, pixels]` to rows after `layers` layers, `[1, patches + 1, dim]`, the class's first. */
export function towerRows(
  graph: Graph,
  weights: Weights,
  c: TowerConfig,
  form: TowerForm,
  patches: Value,
  layers = c.layers,
): Value {
  const add = (a: Value, b: Value): Value => graph.op('Add', [a, b])
  const first = graph.op('Reshape', [weights.constant(form.classRow), graph.integers(1, 1, c.dim)])
  const positions = graph.op('Reshape', [weights.constant(form.positions), graph.integers(1, -1, c.dim)])
  const rows = graph.op('Concat', [first, patchRows(graph, weights, c, form, patches)], { axis: 1 })
  let x = add(rows, positions)
  if (form.firstNorm) x = weights.layerNorm(x, form.firstNorm, c.eps)
  for (let layer = 0; layer < layers; layer++) {
    const { before, qkv, output, after, up, down } = form.layer(layer)
    const n = weights.layerNorm(x, before, c.eps)
    const [mixed] = graph.contrib(
      'MultiHeadAttention',
      qkv.map((name) => weights.dense(n, name)),
      1,
      { num_heads: c.heads, scale: { float: Math.sqrt(c.heads / c.dim) } },
    )
    const y = add(x, weights.dense(mixed, output))
    const inner = activate(graph, weights.dense(weights.layerNorm(y, after, c.eps), up), c.activation)
    x = add(y, weights.dense(inner, down))
  }
  return x
}

/** A convolution whose steps are as wide as it is, is a matrix. */
function patchRows(graph: Graph, weights: Weights, c: TowerConfig, form: TowerForm, patches: Value): Value {
  const kernel = weights.constant(`${form.patches}.weight`)
  const matrix = graph.op('Reshape', [kernel, graph.integers(c.dim, patchSize(c))])
  const attributes = { transA: 0, transB: 1, alpha: { float: 1 } }
  const [product] = graph.contrib('FusedMatMul', [patches, matrix], 1, attributes)
  return form.hasPatchBias ? graph.op('Add', [product, weights.constant(`${form.patches}.bias`)]) : product
}
