/** ViT and CLIP's tower, written once more from their papers (Dosovitskiy et al., 2021; Radford et al., 2021). */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import {
  activation,
  attend,
  layerNorm,
  plus,
  rowOf,
  type TwinTensors,
  times,
  type Vector,
} from './formulas.ts'

/** What the two call the parts of a layer. */
export interface PictureNames {
  readonly layers: string
  readonly before: string
  readonly qkv: readonly [string, string, string]
  readonly output: string
  readonly after: string
  readonly up: string
  readonly down: string
}

/** Of ViT. */
const vitNames: PictureNames = {
  layers: 'vit.encoder.layer',
  before: 'layernorm_before',
  qkv: ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'],
  output: 'attention.output.dense',
  after: 'layernorm_after',
  up: 'intermediate.dense',
  down: 'output.dense',
}

/** The layers of a tower: rows to rows. */
export class PictureLayers {
  readonly #c: ModelConfig
  readonly #tensors: TwinTensors
  readonly #names: PictureNames

  constructor(config: ModelConfig, tensors: TwinTensors, names: PictureNames) {
    this.#c = config
    this.#tensors = tensors
    this.#names = names
  }

  run(xs: Vector[], layers = this.#c.layers): Vector[] {
    for (let l = 0; l < layers; l++) xs = this.#layer(xs, `${this.#names.layers}.${l}.`)
    return xs
  }

  dense(x: Vector, name: string): Vector {
    const bias = this.#tensors.get(`${name}.bias`)
    const product = times(this.#tensors.get(`${name}.weight`)!.data, x)
    return bias ? plus(product, [...bias.data]) : product
  }

  norm(x: Vector, name: string): Vector {
    const [gain, shift] = ['weight', 'bias'].map((part) => this.#tensors.get(`${name}.${part}`)!.data)
    return layerNorm(x, gain, shift, this.#c.eps)
  }

  #layer(xs: Vector[], at: string): Vector[] {
    const { before, qkv, output, after, up, down } = this.#names
    const normed = xs.map((x) => this.norm(x, at + before))
    const [qs, ks, vs] = qkv.map((name) => normed.map((n) => this.dense(n, at + name)))
    return xs.map((x, t) => {
      const y = plus(x, this.dense(attend(this.#c, qs[t], ks, vs), at + output))
      const inner = this.dense(this.norm(y, at + after), at + up).map(activation[this.#c.activation])
      return plus(y, this.dense(inner, at + down))
    })
  }
}

/** Logits of the labels for a picture of patches, each flat: channel, row, column. */
export function vitTwin(config: ModelConfig, tensors: TwinTensors, patches: readonly Vector[]): Vector {
  const layers = new PictureLayers(config, tensors, vitNames)
  const at = 'vit.embeddings.'
  const positions = tensors.get(`${at}position_embeddings`)!.data
  const first = [...tensors.get(`${at}cls_token`)!.data]
  const rows = [first, ...patches.map((patch) => layers.dense(patch, `${at}patch_embeddings.projection`))]
  const xs = rows.map((row, t) => plus(row, rowOf(positions, config.dim, t)))
  return layers.dense(layers.norm(layers.run(xs)[0], 'vit.layernorm'), 'classifier')
}
