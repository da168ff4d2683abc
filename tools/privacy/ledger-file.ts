/**
 * The privacy ledger's file: JSON lines. The first names the data set and the model, a `segment` line states the
 * parameters of the steps that follow it, and a `step` line stands for one release of noise. Lines are only appended,
 * each flushed to the disk before the next is written.
 */
import * as v from 'valibot'

/** What one step is made of. Sigma and q decide what it spends; the rest is kept for the reader. */
export interface StepParameters {
  /** Noise multiplier. */
  sigma: number
  /** Sampling probability of each example. */
  q: number
  /** Clipping norm. */
  clip: number
  /** The delta at which epsilon is meant to be stated. */
  delta: number
  /** Examples that q and the steps were planned with. */
  examples: number
}

/** What a ledger counts for: privacy spent on one data set by one model. */
export interface LedgerIdentity {
  /** Hash of the private data set. */
  dataset: string
  /** Hash of the base model, however it is trained. */
  model: string
}

/** Steps with equal parameters, one after another. */
export interface LedgerSegment extends StepParameters {
  steps: number
}

/** What is wrong with a ledger, for programs. */
export type LedgerErrorCode =
  | 'other-dataset'
  | 'other-model'
  | 'other-writer'
  | 'lost-steps'
  | 'spent'
  | 'not-a-ledger'
  | 'missing'
  | 'bad-parameters'

/** A ledger that cannot be used; the message says what to do. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code: LedgerErrorCode

  constructor(code: LedgerErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))
const parametersSchema = v.strictObject({
  sigma: positive,
  q: v.pipe(positive, v.maxValue(1)),
  clip: positive,
  delta: v.pipe(positive, v.ltValue(1)),
  examples: v.pipe(v.number(), v.integer(), v.minValue(1)),
})
const headerSchema = v.strictObject({
  ledger: v.literal('sotto-privacy'),
  version: v.literal(1),
  dataset: v.string(),
  model: v.string(),
})
const segmentLine = v.strictObject({ segment: parametersSchema })
const stepLine = v.strictObject({ step: v.pipe(v.number(), v.integer(), v.minValue(1)) })

/** The parameters without anything else; throws LedgerError `bad-parameters` if one is missing or out of range. */
export function checkParameters({ sigma, q, clip, delta, examples }: StepParameters): StepParameters {
  const result = v.safeParse(parametersSchema, { sigma, q, clip, delta, examples })
  if (result.success) return result.output
  const { path, message } = result.issues[0]
  throw new LedgerError('bad-parameters', `A step with a bad ${path?.[0].key}: ${message}`)
}

/** The first line of a ledger, with its end. */
export const headerLine = ({ dataset, model }: LedgerIdentity): string =>
  `${JSON.stringify({ ledger: 'sotto-privacy', version: 1, dataset, model })}\n`

/** What was read of a ledger. */
export interface LedgerContents {
  identity: LedgerIdentity
  segments: LedgerSegment[]
  /** Lines that a crash or a bad disk left unreadable; each is counted as a step. */
  unreadable: number
  /** The last line is not complete: the next one must not be glued to it. */
  torn: boolean
}

/**
 * Reads a ledger, in doubt counting too much. A line that cannot be read counts as a step, for a step may have followed
 * it; so does every number that the sequence of steps skips. A tear in a `segment` line before any step is harmless:
 * no step is written before its segment is on the disk. Throws LedgerError `not-a-ledger` if the first line is no
 * header, or if a step comes before any segment.
 */
export function parseLedger(text: string, name: string): LedgerContents {
  const torn = !text.endsWith('\n')
  const [first, ...lines] = (torn ? text : text.slice(0, -1)).split('\n')
  const header = v.safeParse(headerSchema, parseJson(first))
  if (!header.success)
    throw new LedgerError('not-a-ledger', `${name} does not start like a privacy ledger. Name another file.`)
  const segments: LedgerSegment[] = []
  let steps = 0
  let unreadable = 0
  for (const line of lines) {
    const json = parseJson(line)
    const segment = v.safeParse(segmentLine, json)
    if (segment.success) {
      segments.push({ ...segment.output.segment, steps: 0 })
      continue
    }
    const step = v.safeParse(stepLine, json)
    if (!step.success) unreadable++
    const current = segments.at(-1)
    if (!current) {
      if (!step.success) continue
      throw new LedgerError(
        'not-a-ledger',
        `${name} has a step before any parameters: it was edited. Restore it.`,
      )
    }
    const counted = step.success ? Math.max(1, step.output.step - steps) : 1
    current.steps += counted
    steps += counted
  }
  const { dataset, model } = header.output
  return { identity: { dataset, model }, segments, unreadable, torn }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
