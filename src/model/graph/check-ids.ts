import type { ModelConfig } from '../architectures/config.ts'

/** Throws `RangeError` for ids outside the vocabulary, and past the context after `position` others. */
export function checkIds(config: ModelConfig, position: number, ids: ArrayLike<number>): void {
  if (position + ids.length > config.context)
    throw new RangeError(`${position + ids.length} tokens do not fit the context of ${config.context}.`)
  for (let i = 0; i < ids.length; i++)
    if (!(ids[i] >= 0 && ids[i] < config.vocab))
      throw new RangeError(`Token id ${ids[i]} is outside the vocabulary of ${config.vocab}.`)
}
