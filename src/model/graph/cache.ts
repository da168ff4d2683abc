/** Keys and values of the positions that a decoder has seen. */
import { headDim, type ModelConfig } from '../architectures/config.ts'
import { type Floats, zerosLike } from '../math.ts'
import type { KeysAndValues } from './attend.ts'

/** One layer's keys and values; room for more positions is made as they come. */
export class LayerCache {
  readonly #width: number
  readonly #kept: KeysAndValues

  /** `none` is an empty array of the activations' precision. */
  constructor(config: ModelConfig, none: Floats) {
    this.#width = config.kvHeads * headDim(config)
    this.#kept = { keys: none, values: none }
  }

  /** Writes the rows of keys and values at `position` and after; returns those of all positions. */
  remember(keys: Floats, values: Floats, position: number): KeysAndValues {
    const kept = this.#kept
    const at = position * this.#width
    if (at + keys.length > kept.keys.length) {
      const size = Math.max(at + keys.length, 2 * kept.keys.length)
      for (const name of ['keys', 'values'] as const) {
        const wider = zerosLike(kept[name], size)
        wider.set(kept[name])
        kept[name] = wider
      }
    }
    kept.keys.set(keys, at)
    kept.values.set(values, at)
    return kept
  }
}
