/** Texts to classify: JSON lines. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ClassifyInput } from '../../owner/api.ts'

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

/** Reads all of a file, or of standard input for `-`, so that a wrong line shows before anything is computed. */
export async function readInput(file: string): Promise<Input> {
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

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

/** @throws {InputError} naming the first line that is wrong; lines count from 1. */
export function parseInput(bytes: Uint8Array): Input {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InputError('The input is not UTF-8.', 'Convert it first, for example with iconv.')
  }
  const rows = text.replace(/(\r?\n)+$/, '').split('\n')
  if (rows.length === 1 && rows[0].trim() === '') throw new InputError('The input is empty.')
  const parsed = rows.map(parseLine)
  return {
    lines: parsed.map(({ line }) => line),
    labels: parsed.map(({ label }) => label),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
}

function parseLine(row: string, at: number): { line: ClassifyInput; label?: string | number } {
  const where = `Line ${at + 1} of the input`
  let value: unknown
  try {
    value = JSON.parse(row)
  } catch {
    throw new InputError(row.trim() === '' ? `${where} is empty.` : `${where} is not JSON.`)
  }
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

/**
 * How many of the predicted labels are those of the lines that carry one. Numbers count as places in the model's list of
 * labels, as in GLUE's files, where they are not labels themselves.
 */
export function score(
  expected: readonly (string | number | undefined)[],
  predicted: readonly string[],
  labels: readonly string[],
): { labelled: number; correct: number } {
  let [labelled, correct] = [0, 0]
  predicted.forEach((label, at) => {
    const wanted = expected[at]
    if (wanted === undefined) return
    labelled++
    const name = labels.includes(String(wanted)) ? String(wanted) : labels[Number(wanted)]
    if (label === name) correct++
  })
  return { labelled, correct }
}
