/** Lengths that an encoder's texts are padded to, so that a pass tells no more of a text's length than its bucket. */
import type { ModelConfig } from './architectures/config.ts'

const LENGTHS = [16, 32, 64, 128, 256, 512]

/** Rows that an encoder's passes may have, ascending; the longest is the model's context, up to 512. */
export function buckets({ context }: Pick<ModelConfig, 'context'>): number[] {
  const longest = Math.min(context, LENGTHS[LENGTHS.length - 1])
  return [...LENGTHS.filter((n) => n < longest), longest]
}

/** The smallest bucket that holds so many tokens. Throws `RangeError` when none does. */
export function bucketOf(config: Pick<ModelConfig, 'context'>, tokens: number): number {
  const bucket = buckets(config).find((n) => n >= tokens)
  if (bucket === undefined || tokens < 1)
    throw new RangeError(`${tokens} tokens do not fit a bucket of ${buckets(config).join(', ')}.`)
  return bucket
}
