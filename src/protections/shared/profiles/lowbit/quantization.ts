/** What a manifest says of a model in the `lowbit` profile: public, and the same for all layers. */
import * as v from 'valibot'
import { ProfileError } from '../errors.ts'
import type { ModelManifest } from '../model-manifest.ts'
import { ID } from './id.ts'

const bits = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most))

/** Fraction bits: a real is its integer times 2^-f. */
const fraction = bits(-16, 32)

const schema = v.strictObject({
  /** Bits of a weight, beside its column's scale. */
  weightBits: v.picklist([1, 4]),
  /** Fraction bits of activations, of queries and keys, of values, and of what the feed-forward block's first product makes. */
  x: bits(0, 8),
  qk: fraction,
  v: fraction,
  g: fraction,
  /** Bits that are dropped of a gated block's product. */
  th: bits(0, 16),
  /** Fraction bits of the weights, which are integers of at most 7 bits. */
  weights: v.strictObject({
    qk: fraction,
    v: fraction,
    out: fraction,
    up: fraction,
    down: fraction,
    head: v.optional(fraction),
  }),
  /** `tables`: attention and activations by tables of four-bit values alone; see `four-bits.ts`. */
  variant: v.optional(v.picklist(['tables'])),
  /** The largest attention score, in octaves. */
  cap: bits(0, 32),
  /** Bits that values, the first product's results, the residual stream and a row's sum of squares take. */
  rings: v.strictObject({ v: bits(1, 16), g: bits(7, 16), y: bits(6, 24), sq: bits(10, 40) }),
})

/** How a model is quantized. */
export type Quantization = v.InferOutput<typeof schema>

/** The fields of a manifest's entry, by where they are in it. */
export const PUBLIC_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': ['weightBits', 'x', 'qk', 'v', 'g', 'th', 'cap', 'variant'],
  weights: ['qk', 'v', 'out', 'up', 'down', 'head'],
  rings: ['v', 'g', 'y', 'sq'],
}

/** The entry of a manifest. Throws `ProfileError` where it is missing or malformed. */
export function quantizationOf({ name, profile }: Pick<ModelManifest, 'name' | 'profile'>): Quantization {
  const result = v.safeParse(schema, profile[ID])
  if (result.success) return result.output
  const [issue] = result.issues
  const where = [ID, v.getDotPath(issue)].filter(Boolean).join('.')
  throw new ProfileError(
    `Model '${name}' is not quantized as this version of Sotto knows it: its manifest is wrong at profile.${where}. Make it again: sotto model lowbit.`,
    ID,
  )
}
