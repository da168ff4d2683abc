import type { RotatingRows, RotationKernels, RotationSpec } from '../../../kernels/rotated.ts'
import type { DealtRotations } from '../dealt.ts'
import { fromFloats, type Lanes } from '../ring.ts'

/** Of the rows of all places: a calibrated model's have a few megabytes. */
const MOST_BYTES = 2 ** 29

/**
 * Tables of a function of the masked value's high bits, for every place that a mask can put the entries' borders: entry
 * k of a place's table is for values from place + k·2^shift on. A mask's own table is its place's, rotated. Masks
 * repeat the same 2^shift places, so each is worked out once.
 */
export class Rotations {
  readonly spec: RotationSpec
  /** Words of a whole table. */
  readonly #per: number
  readonly #work: (place: number, out: Float64Array) => void
  /** By place, entry and word; one array, because a hundred thousand would keep the collector busy. */
  #rows?: Lanes
  #isKnown = new Uint8Array()
  /** How many places are known, here and in what kernels keep. */
  #places = 0
  readonly #kept = new WeakMap<RotationKernels, { rows: RotatingRows; places: number }>()

  /**
   * @param work writes a place's table: integers within +-2^53
   * @throws RangeError where the rows of all places are too large to keep, or masks have more than 31 bits
   */
  constructor(spec: RotationSpec, work: (place: number, out: Float64Array) => void) {
    const entries = 2 ** spec.shift * spec.entries
    if (entries > 2 ** 31 || entries * spec.words * 8 > MOST_BYTES)
      throw new RangeError(
        `a table of ${spec.entries} entries at 2^${spec.shift} places is too large to keep`,
      )
    this.spec = spec
    this.#per = spec.entries * spec.words
    this.#work = work
  }

  /** Works out every place at once. */
  prepare(): void {
    for (let place = 0; place < 2 ** this.spec.shift; place++) this.at(place)
  }

  /** A place's whole table, mod 2^64. */
  at(place: number): Lanes {
    const from = place * this.#per
    return this.#known(place).subarray(from, from + this.#per)
  }

  /** The whole tables of masks, which kernels can make of the rows that they keep. */
  dealt(masks: Uint32Array): DealtRotations {
    const low = 2 ** this.spec.shift - 1
    for (let i = 0; i < masks.length; i++) this.#known(masks[i] & low)
    return {
      masks,
      kept: (kernels) => this.#keep(kernels),
      fill: (first, count, out) => this.fill(masks, first, count, out),
    }
  }

  /** The whole tables of `count` masks, mod 2^64. */
  fill(masks: Uint32Array, first: number, count: number, out: Lanes): void {
    const { shift, words } = this.spec
    const low = 2 ** shift - 1
    const per = this.#per
    for (let i = first, to = 0; i < first + count; i++) {
      const place = masks[i] & low
      const rows = this.#known(place)
      const start = place * per
      const cut = start + (masks[i] >>> shift) * words
      for (let k = cut; k < start + per; k++) out[to++] = rows[k]
      for (let k = start; k < cut; k++) out[to++] = rows[k]
    }
  }

  /** The rows of all places, with those of one surely there. */
  #known(place: number): Lanes {
    const per = this.#per
    const places = 2 ** this.spec.shift
    if (!this.#rows) {
      this.#rows = new BigUint64Array(places * per)
      this.#isKnown = new Uint8Array(places)
    }
    if (this.#isKnown[place] === 0) {
      const row = new Float64Array(per)
      this.#work(place, row)
      this.#rows.set(fromFloats(row), place * per)
      this.#isKnown[place] = 1
      this.#places++
    }
    return this.#rows
  }

  /** All places in the kernels' memory, with those that became known since they were copied there. */
  #keep(kernels: RotationKernels): RotatingRows {
    const kept = this.#kept.get(kernels)
    if (kept?.places === this.#places) return kept.rows
    kept?.rows.free()
    const rows = kernels.keepRotating(this.#known(0), this.spec)
    this.#kept.set(kernels, { rows, places: this.#places })
    return rows
  }
}
