/** Measures what a model's activations span. */
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import { bucketOf } from '../../../../model/buckets.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { Interpreter, type TextInput } from '../../../../model/graph/interpret.ts'
import type { OwnNormed, Tap } from '../../../../model/graph/taps.ts'
import { scoreScale } from '../../../../model/score-scale.ts'
import { centreRows } from './centre.ts'
import { type Lowered, lowerMatrix } from './lower.ts'
import { hasBias } from './matrices.ts'
import type { Interval, LayerRanges, PoolRanges, Ranges } from './ranges.ts'

/** A text as token ids; an encoder's may come with token types. */
export type Sequence = number[] | TextInput

/**
 * Runs the float model over texts and records what every activation spans; what comes out of the embedding, and its norm, over
 * every token that there is besides. The biases of the first feed-forward product
 * are taken off before its raw range is measured. Padding needs no ranges of its own, but where positions turn: padded rows
 * are copies of the first one, and no row attends to them. `tap` sees every value as well.
 */
export function calibrate(
  config: ModelConfig,
  tensors: Tensors,
  sequences: Iterable<Sequence>,
  tap?: Tap,
): Ranges {
  const measured = new Measured(config, tensors)
  const model = new Interpreter(config, tensors, (name, layer, values) => {
    tap?.(name, layer, values)
    measured.see(name, layer, values)
  })
  for (const text of everyToken(config)) {
    measured.begin(text.ids.length)
    model.embedded(text)
  }
  for (const sequence of sequences) {
    const text = Array.isArray(sequence) ? { ids: sequence } : sequence
    measured.begin(text.ids.length)
    model.rewind(0)
    const hidden = model.hidden(text)
    measured.end(model.head(hidden) ?? hidden)
    if (seesPadding(config)) {
      const whole = padded(config, text)
      measured.begin(whole.ids.length)
      model.head(model.hidden(whole))
    }
  }
  return measured.ranges()
}

/**
 * Whether padding is at places where its copied row never is in a text: where positions turn. What rows make of it has no
 * weight, but must be within its ring.
 */
const seesPadding = (config: ModelConfig): boolean => {
  const { attention, isRotary } = graphOf(config)
  return attention === 'bidirectional' && isRotary
}

/** A text as long as its bucket, filled with its first token. */
function padded(config: ModelConfig, { ids }: TextInput): TextInput {
  return { ids: Array.from({ length: bucketOf(config, ids.length) }, (_, t) => ids[t] ?? ids[0]) }
}

/** Positions at which every token is looked at, where positions count: as far apart as can be. */
const PLACES = 4

/** Tokens at once where they do not. */
const ROWS = 512

/**
 * Texts that hold every token of the vocabulary, at several positions and of every type where these are added: what a person
 * may write is not bounded by what calibration texts hold.
 */
function* everyToken(config: ModelConfig): Generator<TextInput> {
  const { vocab, context, types = 1 } = config
  const hasPlaces = graphOf(config).tables.some(({ by }) => by === 'position')
  const places = hasPlaces ? PLACES : 1
  const most = hasPlaces ? context : Math.min(context, ROWS)
  for (let type = 0; type < types; type++)
    for (let place = 0; place < places; place++) {
      const shift = Math.floor((place * context) / places)
      for (let from = 0; from < vocab; from += most) {
        const length = Math.min(most, vocab - from)
        const ids = Array.from({ length }, (_, t) => from + ((t + shift) % length))
        yield { ids, types: ids.map(() => type) }
      }
    }
}

class Measured {
  readonly #config: ModelConfig
  readonly #isCausal: boolean
  /** What LayerNorm models carry is centred once their lowered weights write to it. */
  readonly #isCentred: boolean
  readonly #layers: LayerRanges[]
  /** The first feed-forward product of each layer, whose biases are added once it is normalised. */
  readonly #lowered: Pick<Lowered, 'bias' | 'residual'>[]
  readonly #final = { x: 0, meanSquare: nothing(), normal: 0, logits: 0 }
  readonly #pool: PoolRanges = { input: 0, x: 0, meanSquare: nothing(), normal: 0 }
  #rows = 0
  /** What the second norm divides each row by. */
  #roots = new Float64Array()
  /** What the last norm of a single product divides each run of columns by. */
  #ownRoots = new Float64Array()

  constructor(config: ModelConfig, tensors: Tensors) {
    const graph = graphOf(config)
    this.#config = config
    this.#isCausal = graph.attention === 'causal'
    this.#isCentred = graph.norm === 'layer'
    this.#layers = graph.layers.map(({ attentionNorm }) => ({
      ...emptyLayer(),
      // Rows that come without a norm have none to divide by.
      ...(attentionNorm.kind === 'none' ? { meanSquare1: [0, 0] as Interval } : {}),
    }))
    this.#lowered = graph.layers.map((_, layer) => {
      if (!hasBias(config, layer, 'up')) return {}
      const { bias, residual } = lowerMatrix(config, tensors, layer, 'up')
      return { bias, residual }
    })
  }

  begin(rows: number): void {
    this.#rows = rows
  }

  end(results: ArrayLike<number>): void {
    this.#final.logits = Math.max(this.#final.logits, largest(results))
  }

  ranges(): Ranges {
    const ranges: Ranges = { layers: this.#layers, final: this.#final }
    const { head } = graphOf(this.#config)
    if (head.kind === 'labels' && !head.poolNorm) ranges.pool = { ...this.#pool, meanSquare: [0, 0] }
    else if (head.kind === 'labels' || (head.kind !== 'none' && head.transform)) ranges.pool = this.#pool
    return ranges
  }

  readonly see: Tap = (name, layer, values) => {
    const r = this.#layers[layer]
    const final = this.#final
    const pool = this.#pool
    const own = /^(query|key|added|fed)(-input|-mean-square)?$/.exec(name)
    if (own) return this.#seeOwn(r, own[1] as OwnNormed, own[2], values)
    switch (name) {
      case 'attention-input':
      case 'attention-stream':
      case 'feed-forward-input':
        r.x = Math.max(r.x, largest(this.#residual(values)))
        if (name === 'attention-input' && this.#readsStream(layer))
          r.normal1 = Math.max(r.normal1, largest(values))
        break
      case 'attention-mean-square':
        extend(r.meanSquare1, values)
        break
      case 'attention-normalised':
        r.normal1 = Math.max(r.normal1, largest(values))
        break
      case 'value':
        r.v = Math.max(r.v, largest(values))
        break
      case 'attention-logits':
        extend(r.score, values, Math.LOG2E)
        this.#seePeaks(r, values)
        break
      case 'feed-forward-mean-square':
        extend(r.meanSquare2, values)
        this.#roots = values.map((v) => Math.sqrt(v + this.#config.eps))
        break
      case 'feed-forward-stream': {
        const residual = this.#residual(values)
        r.x = Math.max(r.x, largest(residual))
        r.rawResidual = Math.max(r.rawResidual ?? 0, this.#raw(residual, this.#lowered[layer].residual?.data))
        break
      }
      case 'gate':
        r.gate = Math.max(r.gate, largest(values))
        r.raw = Math.max(r.raw, this.#raw(values, this.#lowered[layer].bias?.data))
        break
      case 'up':
        r.up = Math.max(r.up, largest(values))
        r.raw = Math.max(r.raw, this.#raw(values, this.#lowered[layer].bias?.data.subarray(this.#config.ff)))
        break
      case 'final-input':
        final.x = Math.max(final.x, largest(this.#residual(values)))
        break
      case 'final-mean-square':
        extend(final.meanSquare, values)
        break
      case 'final-normalised':
        final.normal = Math.max(final.normal, largest(values))
        break
      case 'pool':
        pool.input = Math.max(pool.input, largest(values))
        break
      case 'head-input':
        pool.x = Math.max(pool.x, largest(this.#residual(values)))
        break
      case 'head-mean-square':
        extend(pool.meanSquare, values)
        break
      case 'head-normalised':
        pool.normal = Math.max(pool.normal, largest(values))
    }
  }

  /** Whether a layer's attention reads the stream itself, and not a norm of it. */
  #readsStream(layer: number): boolean {
    const { skip, layers } = graphOf(this.#config)
    return skip === 'stream' && layers[layer].attentionNorm.kind === 'none'
  }

  #residual(values: Float64Array): Float64Array {
    return this.#isCentred ? centreRows(values.slice(), this.#config.dim) : values
  }

  /** Of a product that may have a norm of its own: what that reads, what it divides by, or the result. */
  #seeOwn(r: LayerRanges, name: OwnNormed, part: string | undefined, values: Float64Array): void {
    if (part === '-input') {
      r[name] ??= { raw: 0, meanSquare: nothing(), gained: 0 }
      r[name].raw = Math.max(r[name].raw, largest(values))
      return
    }
    const own = r[name]
    if (!own) return
    if (part === '-mean-square') {
      extend(own.meanSquare, values)
      this.#ownRoots = values.map((v) => Math.sqrt(v + this.#config.eps))
      return
    }
    const scale = name === 'query' ? Math.LOG2E * scoreScale(this.#config) : 1
    own.gained = Math.max(own.gained, scale * timesRoots(values, this.#ownRoots))
  }

  /** Largest |value - bias| times what the norm before it divided by. */
  #raw(values: Float64Array, bias?: Float64Array): number {
    const width = values.length / this.#roots.length
    return timesRoots(bias ? values.map((value, i) => value - bias[i % width]) : values, this.#roots)
  }

  /** The lowest row maximum, where a constant cap makes it matter: each row's heads, the logits of what it sees. */
  #seePeaks(r: LayerRanges, logits: Float64Array): void {
    const { heads, softmaxCap } = this.#config
    if (softmaxCap === undefined) return
    for (let at = 0, i = 0; at < logits.length; i++) {
      const n = this.#isCausal ? Math.floor(i / heads) + 1 : logits.length / (this.#rows * heads)
      const most = logits.subarray(at, at + n).reduce((m, v) => Math.max(m, v), -Infinity)
      r.peak = Math.min(r.peak ?? Infinity, most * Math.LOG2E)
      at += n
    }
  }
}

const nothing = (): Interval => [Infinity, 0]

const emptyLayer = (): LayerRanges => ({
  x: 0,
  meanSquare1: nothing(),
  meanSquare2: nothing(),
  normal1: 0,
  v: 0,
  score: [0, 0],
  raw: 0,
  gate: 0,
  up: 0,
})

function largest(values: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]))
  return most
}

/** Largest |value| times its row's root. */
function timesRoots(values: Float64Array, roots: Float64Array): number {
  const width = values.length / roots.length
  let most = 0
  for (let i = 0; i < values.length; i++)
    most = Math.max(most, Math.abs(values[i]) * roots[Math.floor(i / width)])
  return most
}

function extend(interval: Interval, values: Float64Array, scale = 1): void {
  for (const v of values) {
    interval[0] = Math.min(interval[0], v * scale)
    interval[1] = Math.max(interval[1], v * scale)
  }
}
