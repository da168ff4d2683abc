/** The beginning of a LLaVA's tower: a ViT's, of pictures a quarter as large. */
import type { Tensors } from '../../src/model/architectures/config.ts'
import { type LlavaConfig, TOWER } from '../../src/model/pictures/llava.ts'
import { clipForm, patchCount, type TowerConfig, vitForm } from '../../src/model/pictures/tower.ts'
import { PredictableRandom } from '../../src/model/random.ts'

/**
 * Copies a ViT's layers into `into`; its positions are repeated for each quarter, and told apart a little. The bias of its
 * patches, which CLIP's tower has not, is theirs. Rows keep their size, though CLIP normalises them.
 */
export function startFromVit(into: Tensors, c: LlavaConfig, vit: Tensors, small: TowerConfig): void {
  const form = clipForm(TOWER)
  const { dim } = c.tower
  const of = (name: string): Float32Array => vit.get(name)!.data
  const set = (name: string, data: Float32Array): void => into.get(name)!.data.set(data)
  for (let l = 0; l < small.layers; l++) {
    const [from, to] = [vitForm.layer(l), form.layer(l)]
    const pairs = [
      ...(['before', 'output', 'after', 'up', 'down'] as const).map((part) => [from[part], to[part]]),
      ...from.qkv.map((name, i) => [name, to.qkv[i]]),
    ]
    for (const [a, b] of pairs) for (const part of ['weight', 'bias']) set(`${b}.${part}`, of(`${a}.${part}`))
  }
  const positions = of(vitForm.positions)
  const bias = of(`${vitForm.patches}.bias`)
  set(`${form.patches}.weight`, of(`${vitForm.patches}.weight`))
  set(form.classRow, of(vitForm.classRow))
  const random = new PredictableRandom(7)
  const marks = Array.from({ length: 4 }, () =>
    Float32Array.from({ length: dim }, () => 0.1 * random.normal()),
  )
  const across = Math.sqrt(patchCount(c.tower))
  const half = across / 2
  const row = (p: number): Float32Array => {
    if (p < 0) return positions.subarray(0, dim)
    const [y, x] = [Math.floor(p / across), p % across]
    const own = 1 + (y % half) * half + (x % half)
    const mark = marks[2 * Math.floor(y / half) + Math.floor(x / half)]
    return mark.map((m, i) => m + bias[i] + positions[own * dim + i])
  }
  const table = into.get(form.positions)!.data
  for (let p = -1; p < across * across; p++) table.set(row(p), (p + 1) * dim)
  into.get(`${form.firstNorm}.weight`)!.data.fill(spread(table, dim))
}

/** Mean standard deviation of a table's rows. */
function spread(table: Float32Array, dim: number): number {
  let sum = 0
  const rows = table.length / dim
  for (let r = 0; r < rows; r++) {
    const row = table.subarray(r * dim, (r + 1) * dim)
    const mean = row.reduce((a, b) => a + b, 0) / dim
    sum += Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / dim)
  }
  return sum / rows
}
