import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseJsonLines } from '../../src/texts/json-lines.ts'
import { readText } from '../pretrain/texts.ts'

/** A text, or two, with the label that the data gives it. */
export interface Example {
  text: string
  /** The other text of a pair. */
  pair?: string
  label: string
}

/** A data file that cannot be used; the message names the file and the line. */
export class DataError extends Error {
  override readonly name = 'DataError'
}

/**
 * JSON lines with `text`, `label` (text or number) and, for pairs, `pair` (the other text); gzipped if the name ends in `.gz`. Throws
 * {@link DataError} naming the line that lacks one.
 */
export function readExamples(path: string): Example[] {
  const place = (line: number) => `${basename(path)}, line ${line}`
  const notJson = (line: number) =>
    new DataError(`${place(line)}: not JSON. Expected one {"text", "label"} for each line.`)
  const examples = parseJsonLines(readText(path), notJson).map(({ line, value }): Example => {
    const where = place(line)
    const { text, pair, label } = (value ?? {}) as Record<string, unknown>
    if (typeof text !== 'string') throw new DataError(`${where}: "text" is missing.`)
    if (pair !== undefined && typeof pair !== 'string')
      throw new DataError(`${where}: "pair" must be a text.`)
    if (typeof label !== 'string' && typeof label !== 'number')
      throw new DataError(`${where}: "label" must be a text or a number.`)
    return { text, ...(pair !== undefined && { pair }), label: String(label) }
  })
  if (examples.length === 0) throw new DataError(`${basename(path)} holds no examples.`)
  return examples
}

/** The labels of the training data, in order: numbers by size, texts by the alphabet. Throws if there is only one. */
export function labelsOf(examples: readonly Example[]): string[] {
  const labels = [...new Set(examples.map(({ label }) => label))]
  if (labels.length < 2)
    throw new DataError(`All examples have the label "${labels[0]}": nothing to tell apart.`)
  const areNumbers = labels.every((label) => label !== '' && Number.isFinite(Number(label)))
  return labels.sort((a, b) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : 1))
}

/**
 * Number of a label among those of a model. Data whose labels are numbers may be of a model that calls them by words, in
 * their order. Absent where the model does not have it.
 */
export function labelNumber(label: string, labels: readonly string[]): number | undefined {
  const named = labels.indexOf(label)
  const number = named < 0 && /^\d+$/.test(label) ? Number(label) : named
  return number in labels ? number : undefined
}

/** Number of each example's label. Throws for a label that the training data does not have. */
export function labelNumbers(
  examples: readonly Example[],
  labels: readonly string[],
  path: string,
): number[] {
  return examples.map(({ label }, i) => {
    const number = labelNumber(label, labels)
    if (number === undefined)
      throw new DataError(`${basename(path)}, example ${i + 1}: the training data has no label "${label}".`)
    return number
  })
}

/** All bytes of a file, for its hash. */
export const fileBytes = (path: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(path))
