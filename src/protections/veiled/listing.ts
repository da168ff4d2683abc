/** What a server's listing says of a veiled model, besides what every listing does. */
import * as v from 'valibot'
import { figureSchema } from './attacks.ts'

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most))
const common = {
  /** Which key its owners need. */
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits')),
  /** What computes, for people. */
  engine: v.pipe(v.string(), v.maxLength(200)),
  /** Tokens of one request at most; patches of a picture. */
  maxTokens: count(1 << 20),
  /** What its developer has measured of attacks on it. */
  figure: v.optional(figureSchema),
}
const vocab = count(1 << 22)

/** To check a listing with. */
export const veiledListing = v.variant('kind', [
  v.object({ kind: v.literal('decoder'), ...common, vocab, top: count(1 << 22) }),
  v.object({ kind: v.literal('labels'), ...common, vocab, labelCount: count(4096) }),
  v.object({ kind: v.literal('picture'), ...common, labelCount: count(4096) }),
])
/** A decoder tells of so many likeliest next tokens, a classifier of texts or pictures has so many labels. */
export type VeiledListing = v.InferOutput<typeof veiledListing>
