/** Ids of tokens in configurations: the veiled model has them at other places. */
import type { HfConfig } from '../../src/model/architectures/hf-reader.ts'

/** Where ids are, at any depth: `eos_token_id`, `image_token_index`, `suppress_tokens`. */
const isIdKey = (key: string): boolean =>
  /_token_(id|index)$/.test(key) || /^(begin_)?suppress_tokens$/.test(key)

/** What says where a model comes from, and is none of the cloud's business. */
const isOrigin = (key: string): boolean => key === '_name_or_path' || key === '_commit_hash'

/** The configuration with every id through `veil`, which knows ids below `size`, and without the model's origin. */
export function withVeiledIds(config: HfConfig, size: number, veil: (id: number) => number): HfConfig {
  const isId = (id: unknown): id is number =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < size
  const mapped = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(mapped) : isId(value) ? veil(value) : value
  const walk = (part: HfConfig): HfConfig =>
    Object.fromEntries(
      Object.entries(part)
        .filter(([key]) => !isOrigin(key))
        .map(([key, value]) => {
          if (isIdKey(key)) return [key, mapped(value)]
          const isPart = typeof value === 'object' && value !== null && !Array.isArray(value)
          return [key, isPart ? walk(value as HfConfig) : value]
        }),
    )
  return walk(config)
}
