/** Parallel blocks behind one RMSNorm without gain, with ALiBi, written once more from their papers. */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import {
  activation,
  octaveAttend,
  plus,
  rowOf,
  type TwinTensors,
  times,
  unit,
  type Values,
  type Vector,
} from './formulas.ts'

export class ParallelLlamaTwin {
  readonly #c: ModelConfig
  readonly #tensors: TwinTensors
  readonly #keys: Vector[][]
  readonly #values: Vector[][]

  constructor(config: ModelConfig, tensors: TwinTensors) {
    this.#c = config
    this.#tensors = tensors
    this.#keys = Array.from({ length: config.layers }, () => [])
    this.#values = Array.from({ length: config.layers }, () => [])
  }

  /** Logits behind one more token, which attends to all before it, and less the further away they are. */
  next(id: number): Vector {
    const c = this.#c
    const embedding = this.#get('model.embed_tokens.weight')
    let y = unit(rowOf(embedding, c.dim, id), c.eps)
    for (let l = 0; l < c.layers; l++) {
      const at = `model.layers.${l}.`
      const n = unit(y, c.eps)
      const [q, k, v] = ['q', 'k', 'v'].map((name) => this.#biased(n, `${at}self_attn.${name}_proj`))
      const own = this.#keys[l].push(k) - 1
      this.#values[l].push(v)
      const slope = (head: number): number => 2 ** (1 - (8 / c.heads) * (head + 1))
      const mixed = octaveAttend(c, q, this.#keys[l], this.#values[l], (head, p) =>
        Math.min(24, slope(head) * (own - p)),
      )
      const up = this.#times(n, `${at}mlp.up_proj`)
      const inner = this.#times(n, `${at}mlp.gate_proj`).map((g, i) => activation[c.activation](g) * up[i])
      y = plus(
        plus(y, this.#biased(mixed, `${at}self_attn.o_proj`)),
        this.#times(inner, `${at}mlp.down_proj`),
      )
    }
    return times(c.tied ? embedding : this.#get('lm_head.weight'), unit(y, c.eps))
  }

  #get(name: string): Values {
    return this.#tensors.get(name)!.data
  }

  #times(x: Vector, name: string): Vector {
    return times(this.#get(`${name}.weight`), x)
  }

  #biased(x: Vector, name: string): Vector {
    return plus(this.#times(x, name), [...this.#get(`${name}.bias`)])
  }
}
