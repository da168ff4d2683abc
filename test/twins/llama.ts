/** LLaMA, written once more from its papers: Touvron et al., 2023; Su et al. (RoFormer), 2021; Ainslie et al. (GQA), 2023. */
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { activation, adapted, attend, plus, rowOf, times, type Vector } from './formulas.ts'

export class LlamaTwin {
  readonly #c: ModelConfig
  readonly #tensors: Tensors
  readonly #keys: Vector[][]
  readonly #values: Vector[][]

  constructor(config: ModelConfig, tensors: Tensors) {
    this.#c = config
    this.#tensors = tensors
    this.#keys = Array.from({ length: config.layers }, () => [])
    this.#values = Array.from({ length: config.layers }, () => [])
  }

  /** Logits behind one more token, which attends to all before it. */
  next(id: number): Vector {
    const c = this.#c
    let x = rowOf(this.#get('model.embed_tokens.weight'), c.dim, id)
    for (let l = 0; l < c.layers; l++) {
      const at = `model.layers.${l}.`
      const position = this.#keys[l].length
      const n = this.#norm(x, `${at}input_layernorm`)
      const q = this.#turn(this.#dense(n, `${at}self_attn.q_proj`), position)
      this.#keys[l].push(this.#turn(this.#dense(n, `${at}self_attn.k_proj`), position))
      this.#values[l].push(this.#dense(n, `${at}self_attn.v_proj`))
      const mixed = attend(c, q, this.#keys[l], this.#values[l])
      x = plus(x, this.#dense(mixed, `${at}self_attn.o_proj`))
      const m = this.#norm(x, `${at}post_attention_layernorm`)
      const up = this.#dense(m, `${at}mlp.up_proj`)
      const inner = this.#dense(m, `${at}mlp.gate_proj`).map((g, i) => activation[c.activation](g) * up[i])
      x = plus(x, this.#dense(inner, `${at}mlp.down_proj`))
    }
    const head = this.#get(c.tied ? 'model.embed_tokens.weight' : 'lm_head.weight')
    return times(head, this.#norm(x, 'model.norm'))
  }

  #get(name: string): Float32Array {
    return this.#tensors.get(name)!.data
  }

  #dense(x: Vector, name: string): Vector {
    return adapted(this.#c, this.#tensors, name, x, times(this.#get(`${name}.weight`), x))
  }

  #norm(x: Vector, name: string): Vector {
    const rms = Math.hypot(...x) / Math.sqrt(x.length)
    return x.map((v, i) => (v / Math.sqrt(rms * rms + this.#c.eps)) * this.#get(`${name}.weight`)[i])
  }

  /** Each pair of components is a complex number, multiplied by exp(i position frequency). */
  #turn(x: Vector, position: number): Vector {
    const width = this.#c.dim / this.#c.heads
    const out = [...x]
    for (let head = 0; head < x.length; head += width)
      for (let i = 0; i < width / 2; i++) {
        const [re, im] = [x[head + i], x[head + i + width / 2]]
        const size = Math.hypot(re, im)
        const angle = Math.atan2(im, re) + position * this.#frequency(i, width)
        out[head + i] = size * Math.cos(angle)
        out[head + i + width / 2] = size * Math.sin(angle)
      }
    return out
  }

  /** theta^(-2i / width); of Llama 3.1, slower where a wave is longer than what the model was first trained on. */
  #frequency(i: number, width: number): number {
    const { ropeTheta = 10000, ropeScaling: s } = this.#c
    const f = ropeTheta ** ((-2 * i) / width)
    if (s === undefined) return f
    if (s.kind !== 'llama3') throw new Error('The twin scales rotations as Llama 3.1 does only.')
    const turns = (s.original * f) / (2 * Math.PI)
    if (turns < s.low) return f / s.factor
    if (turns > s.high) return f
    const smooth = (turns - s.low) / (s.high - s.low)
    return (1 - smooth) * (f / s.factor) + smooth * f
  }
}
