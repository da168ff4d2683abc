/** What a data owner does at the ends of a veiled model: ids and pictures are veiled on their way up, answers unveiled. */
import { fromBase64Url } from '../../handshake/encoding.ts'
import { type Floats, zerosLike } from '../../model/math.ts'
import { type End, endMap } from './ends.ts'
import { apply, asMonomial, type LinearMap } from './linear-map.ts'
import { KeyFileError, type OwnerKey } from './owner-key.ts'

/** Numbers of things, in both orders. */
interface Order {
  /** The thing that the cloud has at j. */
  readonly own: Uint32Array
  /** Where the cloud has thing i. */
  readonly veiled: Uint32Array
}

type Ends = OwnerKey['ends']

/** One key, opened: its maps are made once. */
export class OwnerEnds {
  readonly keyId: string
  /** Names of the labels in the model's own order, where it has some. */
  readonly labels?: readonly string[]
  readonly #key: OwnerKey
  readonly #orders = new Map<keyof Ends, Order>()
  readonly #maps = new Map<keyof Ends, LinearMap>()

  constructor(key: OwnerKey) {
    this.#key = key
    this.keyId = key.keyId
    this.labels = key.labels
  }

  /** Throws {@link KeyFileError} unless the veiled model was made with this key. */
  check(keyId: string): void {
    if (keyId !== this.keyId)
      throw new KeyFileError(
        'other-key',
        `The model is veiled with key ${keyId.slice(0, 8)}, and yours is ${this.keyId.slice(0, 8)}. Ask its developer for the new one.`,
      )
  }

  /** Throws {@link KeyFileError} unless the model has as many tokens, or labels, as this key is for. */
  checkSizes(sizes: { readonly tokens?: number; readonly labels?: number }): void {
    for (const name of ['tokens', 'labels'] as const) {
      const [size, own] = [sizes[name], this.#key.ends[name]?.size]
      if (size !== undefined && size !== own)
        throw new KeyFileError(
          'other-key',
          `The model is said to have ${size} ${name}, and the key is for ${own ?? 'none'}.`,
        )
    }
  }

  /** The cloud's ids of tokens. Throws `RangeError` for an id that the model does not have. */
  veilIds(ids: readonly number[]): number[] {
    const { veiled } = this.#order('tokens')
    return ids.map((id) => at(veiled, id))
  }

  /** Tokens of the cloud's ids. Throws `RangeError` for an id that the model does not have. */
  unveilIds(ids: readonly number[]): number[] {
    const { own } = this.#order('tokens')
    return ids.map((id) => at(own, id))
  }

  /** Logits of all tokens, in the model's own order. */
  unveilLogits<T extends Floats>(logits: T): T {
    return reordered(logits, this.#order('tokens'))
  }

  /** Logits of all labels, in the model's own order. */
  unveilLabels<T extends Floats>(logits: T): T {
    return reordered(logits, this.#order('labels'))
  }

  /**
   * Pictures as the cloud takes them: patches [patches x pixels], each patch's numbers in the order channel, row, column.
   * A model whose patches keep their order has only their pixels mixed.
   */
  veilPatches<T extends Floats>(patches: readonly T[]): T[] {
    const map = this.#map('pixels')
    const mixed = patches.map((patch) => {
      if (patch.length !== map.size)
        throw new RangeError(`A patch has ${map.size} numbers, not ${patch.length}.`)
      return mapped(map, patch)
    })
    if (!this.#key.ends.patches) return mixed
    // Row 0 is the class's, which no picture has.
    const { own } = this.#order('patches')
    if (mixed.length !== own.length - 1)
      throw new RangeError(`A picture has ${own.length - 1} patches, not ${mixed.length}.`)
    return mixed.map((_, j) => mixed[own[j + 1] - 1])
  }

  /** A row of the embedding, as the cloud's stream has it. */
  veilRow<T extends Floats>(row: T): T {
    return mapped(this.#map('rows'), row)
  }

  /** A hidden state of the cloud in the model's own basis, of models whose stream is permuted. */
  unveilHidden<T extends Floats>(hidden: T): T {
    return reordered(hidden, this.#order('rows'))
  }

  #map(name: keyof Ends): LinearMap {
    const known = this.#maps.get(name)
    if (known) return known
    const found = this.#key.ends[name]
    if (!found)
      throw new KeyFileError(
        'no-such-end',
        `The key says nothing of ${name}: it is of another kind of model.`,
      )
    const { seed, ...end } = found
    const map = endMap(end as End, this.#key.group, fromBase64Url(seed, 32))
    this.#maps.set(name, map)
    return map
  }

  #order(name: keyof Ends): Order {
    const known = this.#orders.get(name)
    if (known) return known
    const single = asMonomial(this.#map(name))
    if (!single || single.scale)
      throw new KeyFileError('no-such-end', `The key turns ${name}, and does not reorder them.`)
    const veiled = new Uint32Array(single.from.length)
    single.from.forEach((own, j) => {
      veiled[own] = j
    })
    const order = { own: single.from, veiled }
    this.#orders.set(name, order)
    return order
  }
}

function mapped<T extends Floats>(map: LinearMap, values: T): T {
  const out = zerosLike(values, values.length)
  out.set(apply(map, Float64Array.from(values)))
  return out
}

function at(order: Uint32Array, id: number): number {
  if (!(Number.isInteger(id) && id >= 0 && id < order.length))
    throw new RangeError(`There are ${order.length} of them: ${id} is none.`)
  return order[id]
}

function reordered<T extends Floats>(values: T, { veiled }: Order): T {
  if (values.length !== veiled.length)
    throw new RangeError(`${veiled.length} values were expected, not ${values.length}.`)
  const out = zerosLike(values, values.length)
  veiled.forEach((j, i) => {
    out[i] = values[j]
  })
  return out
}
