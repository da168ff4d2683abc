/** What attacks on a veiled model have measured, for people who use it: a file beside the model, and one beside its keys. */
import { base64urlnopad } from '@scure/base'
import * as v from 'valibot'
import { KeyFileError } from './owner-key.ts'

export const ATTACKS_FORMAT = 'sotto-attacks/1'
/** In the cloud's folder. */
export const ATTACKS_FILE = 'attacks.json'
const READABLE_FORMAT = 'sotto-readable/1'
/** Beside the keys. */
export const READABLE_FILE = 'readable.json'

const share = v.pipe(v.number(), v.minValue(0))
const text = v.pipe(v.string(), v.maxLength(500))

const findingSchema = v.object({
  attack: text,
  knows: v.picklist(['nothing', 'domain', 'table', 'base', 'weights']),
  /** What the host knew, and of how much text. */
  knew: text,
  recovered: v.record(v.string(), v.number()),
  /** The entry of `recovered` that says how much of users' words is read. */
  reads: v.optional(v.string()),
  seconds: share,
})

const summarySchema = v.object({
  format: v.literal(ATTACKS_FORMAT),
  model: text,
  group: v.picklist(['bits', 'full']),
  /** Always: a better attack may read more. */
  isLowerBound: v.literal(true),
  findings: v.pipe(v.array(findingSchema), v.maxLength(64)),
})

export type AttackSummary = v.InferOutput<typeof summarySchema>

/** The one figure to show beside the protection's name: what a host without table and weights has been shown to read. */
export const figureSchema = v.object({
  /** Share of users' tokens. */
  tokens: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  attack: text,
  knew: text,
})
export type ModelFigure = v.InferOutput<typeof figureSchema>

/** The figure in a sentence. */
export const figureInWords = ({ tokens, attack, knew }: ModelFigure): string =>
  `Attacks on this very model have read ${Math.round(100 * tokens)} % of what users write (${attack}; known were ${knew}). ` +
  'Others may read more.'

/** Reads a summary that somebody published. `undefined` for what is none. */
export function parseAttacks(json: unknown): AttackSummary | undefined {
  const result = v.safeParse(summarySchema, json)
  return result.success ? result.output : undefined
}

/** The most that was read by somebody who has neither the table nor the weights. */
export function modelFigure({ findings }: AttackSummary): ModelFigure | undefined {
  const figures = findings
    .filter(({ knows, reads }) => (knows === 'nothing' || knows === 'domain') && reads !== undefined)
    .map(({ recovered, reads, attack, knew }) => ({ tokens: recovered[reads!] ?? 0, attack, knew }))
  return figures.sort((a, b) => b.tokens - a.tokens)[0]
}

/** Which tokens are read, as the file has it. */
export const readableSchema = v.object({
  format: v.literal(READABLE_FORMAT),
  tokens: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 22)),
  /** A bit a token, the first in the lowest bit of the first byte; base64url. */
  bits: v.string(),
})

/** Which tokens a host with similar text reads. It stays with owners: a host would learn which of its guesses hold. */
export function encodeReadable(readable: Uint8Array): v.InferOutput<typeof readableSchema> {
  const bits = new Uint8Array(Math.ceil(readable.length / 8))
  for (const [id, isRead] of readable.entries()) if (isRead) bits[id >> 3] |= 1 << (id & 7)
  return { format: READABLE_FORMAT, tokens: readable.length, bits: base64urlnopad.encode(bits) }
}

/**
 * Of a text's tokens, those that a host with similar text would read. Throws {@link KeyFileError} for a damaged file, or one
 * of a model with other than `vocab` tokens.
 */
export function readerOf(json: unknown, vocab?: number): (ids: readonly number[]) => boolean[] {
  const result = v.safeParse(readableSchema, json)
  const damaged = (): KeyFileError =>
    new KeyFileError('bad-file', 'The file of readable tokens is damaged. Get it again.')
  if (!result.success || (vocab ?? result.output.tokens) !== result.output.tokens) throw damaged()
  let bits: Uint8Array
  try {
    bits = base64urlnopad.decode(result.output.bits)
  } catch {
    throw damaged()
  }
  if (bits.length !== Math.ceil(result.output.tokens / 8)) throw damaged()
  return (ids) => ids.map((id) => ((bits[id >> 3] ?? 0) & (1 << (id & 7))) !== 0)
}
