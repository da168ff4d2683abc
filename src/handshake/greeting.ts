/** The first message of an owner's link, as far as every protection has it in common, and the answer that refuses it. */
import * as v from 'valibot'

/** What every greeting has; its protection reads the rest. */
export const greetingHead = v.looseObject({
  t: v.literal('hello'),
  protocolVersion: v.pipe(v.number(), v.integer()),
  /** Hash of the bundle: whose server answers depends on it. */
  modelHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')),
})

/** Code and message of a `SessionError`, instead of a welcome. */
export const refused = v.object({
  t: v.literal('refused'),
  code: v.string(),
  message: v.string(),
  /** Seconds. */
  retryAfter: v.optional(v.number()),
})
