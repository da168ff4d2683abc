/** Where labels go: to standard output, or to a file that an interrupted run goes on with. */

import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { type Answer, isUnanswered, type TaggedSpan } from '../../owner/api.ts'
import { UsageError } from '../errors.ts'
import { jsonLine, print } from '../terminal.ts'

/** What a file of labels was made from; kept next to it. */
export interface Origin {
  /** SHA-256 of the input. */
  input: string
  /** Hash of the model. */
  model: string
  protection: string
}

/** The line of one result. */
export function resultLine(answer: Answer): string {
  if (isUnanswered(answer)) return jsonLine({ error: answer.error })
  const { label, probabilities, scores, words, entities } = answer
  const spans = (all: readonly TaggedSpan[]) =>
    all.map((span) => ({ ...span, probability: rounded(span.probability) }))
  if (words && entities) return jsonLine({ label, entities: spans(entities), words: spans(words) })
  // Maps: a label may be a name that objects treat specially.
  if (scores) {
    const byLabel = scores.map((each) => [each.label, rounded(each.score)])
    return jsonLine({ label, scores: Object.fromEntries(byLabel) })
  }
  const byLabel = probabilities.map((each) => [each.label, rounded(each.probability)])
  return jsonLine({ label, probabilities: Object.fromEntries(byLabel) })
}

/** Seven digits: what is beyond them is noise of the fixed-point numbers, and of float32 where there are none. */
const rounded = (number: number): number => Number(number.toPrecision(7))

export interface Output {
  /** Labels of the lines that were there already, and those written since; null where a text has no answer. */
  readonly labels: (string | null)[]
  write(result: Answer): void
  close(): void
}

/** @param show makes the line. */
export function standardOutput(show: (result: Answer, at: number) => string): Output {
  const labels: (string | null)[] = []
  return {
    labels,
    write(result) {
      print(`${show(result, labels.length)}\n`)
      labels.push(labelGiven(result))
    },
    close: () => undefined,
  }
}

const labelGiven = (answer: Answer): string | null => (isUnanswered(answer) ? null : answer.label)

const originFile = (file: string): string => `${file}.origin.json`

/**
 * Opens a file behind its last complete line. A line that was torn by the interruption is dropped.
 * @param most number of lines of the input.
 * @throws {UsageError} where the file was made from something else, or nobody knows from what.
 */
export function fileOutput(file: string, origin: Origin, most: number): Output {
  const labels = existsSync(file) ? kept(file, origin, most) : []
  if (labels.length === 0) {
    // Written whole or not at all: a torn one would make the results unusable.
    writeFileSync(`${originFile(file)}.new`, `${JSON.stringify(origin)}\n`)
    renameSync(`${originFile(file)}.new`, originFile(file))
  }
  const out = openSync(file, existsSync(file) ? 'r+' : 'w')
  let at = labels.length === 0 ? 0 : endOf(file, labels.length)
  ftruncateSync(out, at)
  return {
    labels,
    write(result) {
      at += writeSync(out, `${resultLine(result)}\n`, at)
      labels.push(labelGiven(result))
    },
    close: () => closeSync(out),
  }
}

/** The labels of the complete lines of a file that may be gone on with. */
function kept(file: string, origin: Origin, most: number): (string | null)[] {
  const text = readFileSync(file, 'utf8')
  if (!existsSync(originFile(file))) {
    if (text === '') return []
    throw new UsageError(`${file} exists and was not made by sotto classify. Choose another name for --out.`)
  }
  const before = readOrigin(file)
  const names = {
    input: 'another input',
    model: 'another model',
    protection: 'another --protection',
  } as const
  for (const name of Object.keys(names) as (keyof Origin)[])
    if (before[name] !== origin[name])
      throw new UsageError(
        `${file} holds labels of ${names[name]}. Choose another name for --out, or delete ${file} to start anew.`,
      )
  const lines = text.split('\n').slice(0, -1)
  const labels: (string | null)[] = []
  for (const line of lines) {
    const label = labelOf(line)
    // After a power cut, what follows may be anything.
    if (label === undefined) break
    labels.push(label)
  }
  if (labels.length > most)
    throw new UsageError(`${file} has more lines than the input. Choose another name for --out.`)
  return labels
}

function readOrigin(file: string): Partial<Origin> {
  try {
    return JSON.parse(readFileSync(originFile(file), 'utf8')) as Partial<Origin>
  } catch {
    throw new UsageError(`${originFile(file)} cannot be read. Delete it and ${file} to start anew.`)
  }
}

function labelOf(line: string): string | null | undefined {
  try {
    const { label, error } = JSON.parse(line) as { label?: unknown; error?: unknown }
    if (typeof error === 'object' && error !== null) return null
    return typeof label === 'string' ? label : undefined
  } catch {
    return undefined
  }
}

/** Bytes of the first `lines` lines. */
function endOf(file: string, lines: number): number {
  const bytes = readFileSync(file)
  let at = 0
  for (let n = 0; n < lines; n++) at = bytes.indexOf(10, at) + 1
  return at
}
