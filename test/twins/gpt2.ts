/** GPT-2, written once more from its paper (Radford et al., 2019), straight from its [in, out] files. */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { activation, adapted, attend, layerNorm, plus, rowOf, times, type Vector } from './formulas.ts'

export class Gpt2Twin {
  readonly #c: ModelConfig
  readonly #tensors: Tensors
  readonly #keys: Vector[][]
  readonly #values: Vector[][]
  #position = 0

  constructor(config: ModelConfig, tensors: Tensors) {
    this.#c = config
    this.#tensors = tensors
    this.#keys = Array.from({ length: config.layers }, () => [])
    this.#values = Array.from({ length: config.layers }, () => [])
  }

  /** Logits behind one more token, which attends to all before it. */
  next(id: number): Vector {
    const c = this.#c
    let x = plus(
      rowOf(this.#get('wte.weight'), c.dim, id),
      rowOf(this.#get('wpe.weight'), c.dim, this.#position++),
    )
    for (let l = 0; l < c.layers; l++) {
      const qkv = this.#conv(this.#norm(x, `h.${l}.ln_1`), `h.${l}.attn.c_attn`)
      this.#keys[l].push(qkv.slice(c.dim, 2 * c.dim))
      this.#values[l].push(qkv.slice(2 * c.dim))
      const mixed = attend(c, qkv.slice(0, c.dim), this.#keys[l], this.#values[l])
      x = plus(x, this.#conv(mixed, `h.${l}.attn.c_proj`))
      const inner = this.#conv(this.#norm(x, `h.${l}.ln_2`), `h.${l}.mlp.c_fc`).map(activation[c.activation])
      x = plus(x, this.#conv(inner, `h.${l}.mlp.c_proj`))
    }
    return times(this.#get(c.tied ? 'wte.weight' : 'lm_head.weight'), this.#norm(x, 'ln_f'))
  }

  #get(name: string): Float32Array {
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
