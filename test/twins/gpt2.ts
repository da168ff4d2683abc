/** GPT-2, written once more from its paper (Radford et al., 2019), straight from its [in, out] files. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import {
  activation,
  adapted,
  attend,
  layerNorm,
  plus,
  rowOf,
  type TwinTensors,
  times,
  type Values,
  type Vector,
} from './formulas.ts'

export class Gpt2Twin {
  readonly #c: ModelConfig
  readonly #tensors: TwinTensors
  readonly #keys: Vector[][]
  readonly #values: Vector[][]
  #position = 0

  constructor(config: ModelConfig, tensors: TwinTensors) {
    this.#c = config
    this.#tensors = tensors
    this.#keys = Array.from({ length: config.layers }, () => [])
    this.#values = Array.from({ length: config.layers }, () => [])
  }

  /** Logits behind one more token, which attends to all before it. */
  next(id: number): Vector {
    return this.forward([id])[0]
  }

  /** Logits behind each of some tokens, which attend to themselves and to all before. */
  forward(ids: readonly number[]): Vector[] {
    const c = this.#c
    const base = this.#position
    this.#position += ids.length
    let xs = ids.map((id, t) =>
      plus(rowOf(this.#get('wte.weight'), c.dim, id), rowOf(this.#get('wpe.weight'), c.dim, base + t)),
    )
    for (let l = 0; l < c.layers; l++) {
      const qkv = xs.map((x) => this.#conv(this.#norm(x, `h.${l}.ln_1`), `h.${l}.attn.c_attn`))
      this.#keys[l].push(...qkv.map((row) => row.slice(c.dim, 2 * c.dim)))
      this.#values[l].push(...qkv.map((row) => row.slice(2 * c.dim)))
      xs = xs.map((x, t) => {
        const seen = [this.#keys[l], this.#values[l]].map((all) => all.slice(0, base + t + 1))
        const mixed = attend(c, qkv[t].slice(0, c.dim), seen[0], seen[1])
        const y = plus(x, this.#conv(mixed, `h.${l}.attn.c_proj`))
        const inner = this.#conv(this.#norm(y, `h.${l}.ln_2`), `h.${l}.mlp.c_fc`)
        return plus(y, this.#conv(inner.map(activation[c.activation]), `h.${l}.mlp.c_proj`))
      })
    }
    return xs.map((x) => times(this.#get(c.tied ? 'wte.weight' : 'lm_head.weight'), this.#norm(x, 'ln_f')))
  }

  #get(name: string): Values {
    return this.#tensors.get(name)!.data
  }

  /** x W + b. */
  #conv(x: Vector, name: string): Vector {
    const weight = this.#get(`${name}.weight`)
    const bias = [...this.#get(`${name}.bias`)]
    const y = bias.map((b, o) => x.reduce((sum, value, i) => sum + value * weight[i * bias.length + o], b))
    return adapted(this.#c, this.#tensors, name, x, y)
  }

  #norm(x: Vector, name: string): Vector {
    return layerNorm(x, this.#get(`${name}.weight`), this.#get(`${name}.bias`), this.#c.eps)
  }
}
