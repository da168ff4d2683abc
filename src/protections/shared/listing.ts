/** What a server's listing says of a model that runs under secret sharing, besides what every listing does. */
import * as v from 'valibot'

export const sharedListing = v.object({
  planHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** How numbers are represented. */
  profile: v.pipe(v.string(), v.maxLength(64)),
})
export type SharedListing = v.InferOutput<typeof sharedListing>

/** The dealer, as a page's configuration or a command line names it. */
export const sharedSettings = v.object({
  dealer: v.object({
    url: v.string(),
    /**
     * Its identity (base64url Ed25519). That the page's own origin vouches for it is what stops a model server from posing
     * as the dealer.
     */
    key: v.string(),
  }),
})
export type SharedSettings = v.InferOutput<typeof sharedSettings>
