/** Texts to classify: JSON lines. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { ClassifyInput } from '../../owner/api.ts'
import { decodeText } from '../../texts/decode.ts'
import { TableError } from '../../texts/error.ts'
import { parseJsonLines } from '../../texts/json-lines.ts'
import { isPictureFile, readPng } from './png.ts'

/** A line of the input is not what was asked for; the message names it. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly advice: string

  constructor(message: string, advice = 'A line must be like {"text": "..."}.') {
    super(message)
    this.advice = advice
  }
}

export interface Input {
  lines: ClassifyInput[]
  /** The label that a line carries, for the accuracy; undefined where it carries none. */
  labels: (string | number | undefined)[]
  /** SHA-256 of the bytes, hexadecimal. */
  sha256: string
}

/** Reads all of a file, a picture or JSON lines, or of standard input for `-`, so that a wrong line shows before anything is computed. */
export async function readInput(file: string): Promise<Input> {
  if (isPictureFile(file)) return pictureInput(file)
  let bytes: Uint8Array
  try {
    bytes = file === '-' ? await readAll(process.stdin) : readFileSync(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : (error as Error).message
    throw new InputError(
      `The file ${file} cannot be read: it ${why}.`,
      'Give a file of JSON lines by --file.',
    )
  }
  return parseInput(bytes)
}

function pictureInput(file: string): Input {
  const picture = readPng(file)
  const sha256 = createHash('sha256').update(picture.data).digest('hex')
  return { lines: [{ text: basename(file), picture }], labels: [undefined], sha256 }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

/** @throws {InputError} naming the first line that is wrong; lines count from 1. */
export function parseInput(bytes: Uint8Array): Input {
  const rows = parseJsonLines(textOf(bytes), (line) => new InputError(`${place(line)} is not JSON.`))
  if (rows.length === 0) throw new InputError('The input is empty.')
  // Each line of the output is that of the input's line of the same number.
  const gap = rows.findIndex(({ line }, at) => line !== at + 1)
  if (gap >= 0) throw new InputError(`${place(gap + 1)} is empty.`)
  const parsed = rows.map(({ line, value }) => parseLine(value, place(line)))
  return {
    lines: parsed.map(({ line }) => line),
    labels: parsed.map(({ label }) => label),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}

const place = (line: number): string => `Line ${line} of the input`

function textOf(bytes: Uint8Array): string {
  try {
    const { text, guess } = decodeText('The input', bytes)
    if (guess === undefined) return text
  } catch (error) {
    if (error instanceof TableError) throw new InputError(error.message)
    throw error
  }
  throw new InputError('The input is not UTF-8.', 'Convert it first, for example with iconv.')
}

function parseLine(value: unknown, where: string): { line: ClassifyInput; label?: string | number } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${where} is not an object.`)
  const { text, pair, label } = value as Record<string, unknown>
  if (typeof text !== 'string') throw new InputError(`${where} has no "text" that is a string.`)
  if (pair !== undefined && typeof pair !== 'string')
    throw new InputError(`${where} has a "pair" that is not a string.`)
  const line = pair === undefined ? { text } : { text, pair }
  return typeof label === 'string' || typeof label === 'number' ? { line, label } : { line }
}

/** A model of pairs needs two texts a line, any other one. */
export function checkPairs(lines: readonly ClassifyInput[], pairs: boolean): void {
  const at = lines.findIndex(({ pair }) => (pair !== undefined) !== pairs)
  if (at < 0) return
  const where = `Line ${at + 1} of the input`
  if (pairs)
    throw new InputError(
      `${where} has no "pair", and the model compares two texts.`,
      'A line must be like {"text": "...", "pair": "..."}.',
    )
  throw new InputError(
    `${where} has a "pair", but the model reads one text.`,
    'Leave "pair" out, or choose another model.',
  )
}

export interface Score {
  /** Lines whose label is one of the model's. */
  labelled: number
  correct: number
  /** Labels that the model does not have, with how many lines carry each. */
  unknown: Map<string, number>
}

/**
 * How many of the predicted labels are those of the lines that carry one. Numbers count as places in the model's list of
 * labels, as in GLUE's files, where they are not labels themselves; -1 and an empty label, as in the test parts of GLUE on
 * the hub, say that there is none. Lines without an answer (null) are left out.
 */
export function score(
  expected: readonly (string | number | undefined)[],
  predicted: readonly (string | null)[],
  labels: readonly string[],
): Score {
  const result: Score = { labelled: 0, correct: 0, unknown: new Map() }
  predicted.forEach((label, at) => {
    if (label === null) return
    const wanted = String(expected[at] ?? '').trim()
    if (wanted === '' || (wanted === '-1' && !labels.includes('-1'))) return
    const name = labels.includes(wanted) ? wanted : /^\d+$/.test(wanted) ? labels[Number(wanted)] : undefined
    if (name === undefined) {
      result.unknown.set(wanted, (result.unknown.get(wanted) ?? 0) + 1)
      return
    }
    result.labelled++
    if (label === name) result.correct++
  })
  return result
}
