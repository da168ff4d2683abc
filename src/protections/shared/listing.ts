/** What a server's listing says of a model that runs under secret sharing, besides what every listing does. */
import * as v from 'valibot'
import { AUDITED, MOST_AUDITED } from './session/toss.ts'

/** To check a listing with. */
export const sharedListing = v.object({
  planHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** How numbers are represented. */
  profile: v.pipe(v.string(), v.maxLength(64)),
})
/** The plan that the server runs, by its hash, and in which profile. */
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
    /** Who runs it, for people. */
    operator: v.optional(v.pipe(v.string(), v.maxLength(200))),
  }),
  /** How probable it is that a pass of many rows is rehearsed, and audited; 0 turns audits off. */
  audit: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(MOST_AUDITED)), AUDITED),
})
/** Where the dealer is, and who. */
export type SharedSettings = v.InferInput<typeof sharedSettings>
