/** Gemma, Gemma 2 and Gemma 3, written once more from their reports (Gemma Team, 2024 to 2025). */
import type { ModelConfig } from '../../src/model/architectures/config.ts'
import {
  activation,
  attend,
  plus,
  rowOf,
  type TwinTensors,
  times,
  unit,
  type Values,
  type Vector,
} from './formulas.ts'

export class GemmaTwin {
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

  /** Logits behind one more token, which attends to all before it. */
  next(id: number): Vector {
    const c = this.#c
    const width = c.headDim ?? c.dim / c.heads
    const embedding = this.#get('model.embed_tokens.weight')
    let x = rowOf(embedding, c.dim, id).map((v) => v * Math.sqrt(c.dim))
    for (let l = 0; l < c.layers; l++) {
      const at = `model.layers.${l}.`
      const n = this.#norm(x, `${at}input_layernorm`)
      const position = this.#keys[l].length
      const theta = c.localRotary?.layers.includes(l) ? c.localRotary.theta : (c.ropeTheta ?? 10000)
      const heads = (name: string): Vector => {
        const y = times(this.#get(`${at}self_attn.${name}_proj.weight`), n)
        return Array.from({ length: y.length / width }, (_, h) => {
          const head = this.#own(y.slice(h * width, (h + 1) * width), `${at}self_attn.${name}_norm`)
          return turned(head, position, theta)
        }).flat()
      }
      // Scores are divided by the root of the width elsewhere.
      const q = heads('q').map((v) => v * Math.sqrt(width / (c.scoreDim ?? width)))
      this.#keys[l].push(heads('k'))
      this.#values[l].push(times(this.#get(`${at}self_attn.v_proj.weight`), n))
      const mixed = times(
        this.#get(`${at}self_attn.o_proj.weight`),
        attend(c, q, this.#keys[l], this.#values[l]),
      )
      const hasFour = this.#tensors.has(`${at}pre_feedforward_layernorm.weight`)
      const y = plus(x, hasFour ? this.#norm(mixed, `${at}post_attention_layernorm`) : mixed)
      const m = this.#norm(y, `${at}${hasFour ? 'pre_feedforward' : 'post_attention'}_layernorm`)
      const up = times(this.#get(`${at}mlp.up_proj.weight`), m)
      const gate = times(this.#get(`${at}mlp.gate_proj.weight`), m).map(activation.gelu_tanh)
      const fed = times(
        this.#get(`${at}mlp.down_proj.weight`),
        gate.map((g, i) => g * up[i]),
      )
      x = plus(y, this.#own(fed, `${at}post_feedforward_layernorm`))
    }
    const logits = times(embedding, this.#norm(x, 'model.norm'))
    return c.logitCap ? logits.map((v) => c.logitCap! * Math.tanh(v / c.logitCap!)) : logits
  }

  #get(name: string): Values {
    return this.#tensors.get(name)!.data
  }

  /** Gains are stored less one. */
  #norm(x: Vector, name: string): Vector {
    const gain = this.#get(`${name}.weight`)
    return unit(x, this.#c.eps).map((v, i) => v * (1 + gain[i]))
  }

  /** A norm that only some of the three have. */
  #own(x: Vector, name: string): Vector {
    return this.#tensors.has(`${name}.weight`) ? this.#norm(x, name) : x
  }
}

/** Component i turns with component i + width / 2. */
function turned(head: Vector, position: number, theta: number): Vector {
  const half = head.length / 2
  return head.map((v, j) => {
    const angle = position * theta ** (-(j % half) / half)
    const other = j < half ? -head[j + half] : head[j - half]
    return v * Math.cos(angle) + other * Math.sin(angle)
  })
}
