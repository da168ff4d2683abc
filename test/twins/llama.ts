/**
 * LLaMA, written once more from its papers: Touvron et al., 2023; Su et al. (RoFormer), 2021; Ainslie et al. (GQA), 2023.
 * Biases of Qwen2, norms of queries and keys of Qwen3, and LayerNorms of StableLM where the files have them.
 */
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

export class LlamaTwin {
  protected readonly config: ModelConfig
  readonly #tensors: TwinTensors
  readonly #keys: Vector[][]
  readonly #values: Vector[][]

  constructor(config: ModelConfig, tensors: TwinTensors) {
    this.config = config
    this.#tensors = tensors
    this.#keys = Array.from({ length: config.layers }, () => [])
    this.#values = Array.from({ length: config.layers }, () => [])
  }

  protected get width(): number {
    return this.config.headDim ?? this.config.dim / this.config.heads
  }

  /** Logits behind one more token, which attends to all before it. */
  next(id: number): Vector {
    return this.forward([id])[0]
  }

  /** Logits behind each of some tokens, which attend to themselves and to all before. */
  forward(ids: readonly number[]): Vector[] {
    return this.rows(ids.map((id) => this.embed(id)))
  }

  /** A token's row of the embedding. */
  embed(id: number): Vector {
    return rowOf(this.get('model.embed_tokens.weight'), this.config.dim, id)
  }

  /** Logits behind each of some embedded rows. */
  rows(xs: Vector[]): Vector[] {
    const c = this.config
    const base = this.#keys[0].length
    for (let l = 0; l < c.layers; l++) {
      const at = `model.layers.${l}.`
      const normed = xs.map((x) => this.#norm(x, `${at}input_layernorm`))
      const turned = (name: string, t: number) =>
        this.#turn(
          this.#headNorm(this.dense(normed[t], `${at}self_attn.${name}_proj`), `${at}self_attn.${name}_norm`),
          base + t,
        )
      this.#keys[l].push(...xs.map((_, t) => turned('k', t)))
      this.#values[l].push(...normed.map((n) => this.dense(n, `${at}self_attn.v_proj`)))
      xs = xs.map((x, t) => {
        const seen = [this.#keys[l], this.#values[l]].map((all) => all.slice(0, base + t + 1))
        const y = plus(x, this.dense(attend(c, turned('q', t), seen[0], seen[1]), `${at}self_attn.o_proj`))
        return plus(y, this.feedForward(this.#norm(y, `${at}post_attention_layernorm`), at))
      })
    }
    const head = this.get(c.tied ? 'model.embed_tokens.weight' : 'lm_head.weight')
    return xs.map((x) => times(head, this.#norm(x, 'model.norm')))
  }

  protected feedForward(x: Vector, at: string): Vector {
    return this.gated(x, `${at}mlp.gate_proj`, `${at}mlp.up_proj`, `${at}mlp.down_proj`)
  }

  protected gated(x: Vector, gate: string, up: string, down: string): Vector {
    const act = activation[this.config.activation]
    const linear = this.dense(x, up)
    return this.dense(
      this.dense(x, gate).map((g, i) => act(g) * linear[i]),
      down,
    )
  }

  protected get(name: string): Values {
    return this.#tensors.get(name)!.data
  }

  protected dense(x: Vector, name: string): Vector {
    const bias = this.#tensors.get(`${name}.bias`)
    const product = times(this.get(`${name}.weight`), x)
    return adapted(this.config, this.#tensors, name, x, bias ? plus(product, [...bias.data]) : product)
  }

  #norm(x: Vector, name: string): Vector {
    const shift = this.#tensors.get(`${name}.bias`)
    if (shift) return layerNorm(x, this.get(`${name}.weight`), shift.data, this.config.eps)
    const rms = Math.hypot(...x) / Math.sqrt(x.length)
    return x.map((v, i) => (v / Math.sqrt(rms * rms + this.config.eps)) * this.get(`${name}.weight`)[i])
  }

  /** Each head normed by itself, where there is such a norm. */
  #headNorm(x: Vector, name: string): Vector {
    if (!this.#tensors.has(`${name}.weight`)) return x
    const width = this.width
    return Array.from({ length: x.length / width }, (_, h) =>
      this.#norm(x.slice(h * width, (h + 1) * width), name),
    ).flat()
  }

  /** Each pair of components is a complex number, multiplied by exp(i position frequency). */
  #turn(x: Vector, position: number): Vector {
    const width = this.config.rotaryDim ?? this.width
    // Where positions are stretched, what turns is longer, and nothing else.
    const out = [...x]
    for (let head = 0; head < x.length; head += this.width)
      for (let i = 0; i < width / 2; i++) {
        const [re, im] = [x[head + i], x[head + i + width / 2]]
        const size = Math.hypot(re, im) * this.#amplitude
        const angle = Math.atan2(im, re) + position * this.#frequency(i, width)
        out[head + i] = size * Math.cos(angle)
        out[head + i + width / 2] = size * Math.sin(angle)
      }
    return out
  }

  /** What YaRN and LongRoPE multiply cosine and sine by. */
  get #amplitude(): number {
    const { ropeScaling: s } = this.config
    return s?.kind === 'yarn' || s?.kind === 'longrope' ? s.attention : 1
  }

  /** theta^(-2i / width), and slower where a wave is longer than what the model was first trained on. */
  #frequency(i: number, width: number): number {
    const { ropeTheta = 10000, ropeScaling: s, context } = this.config
    const f = ropeTheta ** ((-2 * i) / width)
    if (s === undefined) return f
    if (s.kind === 'longrope') return f / (context > s.original ? s.long : s.short)[i]
    if (s.kind === 'yarn') {
      // Peng et al., 2023: which pair turns r times within the original context, and a ramp between two of them.
      const pair = (r: number) =>
        (width / 2) * (Math.log(s.original / (2 * Math.PI * r)) / Math.log(ropeTheta))
      const low = Math.max(0, Math.floor(pair(s.fast)))
      const high = Math.min(width - 1, Math.ceil(pair(s.slow)))
      const ramp = i <= low ? 0 : i >= high ? 1 : (i - low) / (high - low)
      return ramp * (f / s.factor) + (1 - ramp) * f
    }
    if (s.kind !== 'llama3') throw new Error(`The twin does not scale rotations by "${s.kind}".`)
    const turns = (s.original * f) / (2 * Math.PI)
    if (turns < s.low) return f / s.factor
    if (turns > s.high) return f
    const smooth = (turns - s.low) / (s.high - s.low)
    return (1 - smooth) * (f / s.factor) + smooth * f
  }
}
