import type { FloatModel } from './graph/decoder-model.ts'
import { softmax } from './math.ts'
import { PredictableRandom } from './random.ts'

/** How a token is chosen. */
export interface SampleOptions {
  /** 0 always takes the likeliest token; 1 samples the model's own distribution. */
  temperature?: number
  /** Sample only among the likeliest tokens that together reach this probability. */
  topP?: number
  /** Makes the choice repeatable. Not a secret: the random numbers decide words, not protection. */
  seed?: number
}

/** Picks tokens from logits; the same seed and logits give the same tokens. */
export class Sampler {
  readonly #random: PredictableRandom
  readonly #temperature: number
  readonly #topP: number

  constructor({ temperature = 0.7, topP = 0.9, seed = 1 }: SampleOptions = {}) {
    if (!(temperature >= 0)) throw new RangeError(`temperature must be 0 or more, not ${temperature}`)
    if (!(topP > 0 && topP <= 1)) throw new RangeError(`topP must be above 0 and at most 1, not ${topP}`)
    this.#temperature = temperature
    this.#topP = topP
    this.#random = new PredictableRandom(seed)
  }

  /** The next token for these logits, `[vocab]`. */
  pick(logits: ArrayLike<number>): number {
    if (this.#temperature === 0) return argMax(logits)
    const p = Float64Array.from(logits, (logit) => logit / this.#temperature)
    softmax(p)
    const order = likeliest(p, this.#topP)
    let kept = 0
    let total = 0
    while (kept < order.length && total < this.#topP) total += p[order[kept++]]
    let rest = this.#random.uniform() * total
    for (let i = 0; i < kept; i++) {
      rest -= p[order[i]]
      if (rest < 0) return order[i]
    }
    return order[kept - 1]
  }
}

/** Ids by falling probability, as many as reach `mass` together; only tokens that can be among them are sorted. */
function likeliest(p: Float64Array, mass: number): number[] {
  for (let least = 1e-3; ; least /= 100) {
    const order: number[] = []
    let total = 0
    for (let id = 0; id < p.length; id++)
      if (p[id] >= least || least < 1e-12) {
        order.push(id)
        total += p[id]
      }
    if (total >= mass || order.length === p.length) return order.sort((a, b) => p[b] - p[a])
  }
}

/** The place of the largest; the first of several. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i
  return best
}

/** How, and how many. */
export interface GenerateOptions extends SampleOptions {
  /** End before any of these ids. */
  stop?: readonly number[]
  maxTokens?: number
}

/** Feed `prompt` and yield new ids until a stop id, `maxTokens`, or the end of the context. */
export function* generate(
  model: FloatModel,
  prompt: ArrayLike<number>,
  options: GenerateOptions = {},
): Generator<number, void> {
  const sampler = new Sampler(options)
  let logits = model.forward(prompt)
  for (let made = 0; made < (options.maxTokens ?? Number.POSITIVE_INFINITY); made++) {
    const id = sampler.pick(logits)
    if (options.stop?.includes(id)) return
    yield id
    if (model.position >= model.config.context) return
    logits = model.forward([id])
  }
}
