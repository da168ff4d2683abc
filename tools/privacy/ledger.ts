/**
 * The privacy ledger: what training on a private data set has spent. Each step is on the disk before its noise is
 * drawn, so an interrupted run may count a step too many, never one too few; a resumed run goes on counting.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import {
  checkParameters,
  headerLine,
  LedgerError,
  type LedgerIdentity,
  type LedgerSegment,
  parseLedger,
  type StepParameters,
} from './ledger-file.ts'
import { type PrvEpsilon, prvEpsilonOf } from './prv.ts'
import { rdpEpsilonOf } from './rdp.ts'

/**
 * One open ledger, which no other process writes to meanwhile: a file that has grown by others' lines is
 * refused (`other-writer`).
 */
export class PrivacyLedger {
  readonly identity: LedgerIdentity
  readonly #segments: LedgerSegment[]
  readonly #file: number
  /** Bytes in the file after the last write of ours. */
  #size: number

  private constructor(identity: LedgerIdentity, segments: LedgerSegment[], file: number) {
    this.identity = identity
    this.#segments = segments
    this.#file = file
    this.#size = fstatSync(file).size
  }

  /**
   * Opens the ledger at `path`, or starts one there. A run that resumes passes the steps of its checkpoint as `atLeast`:
   * a ledger that was lost or replaced must not count from zero. Throws LedgerError `lost-steps` then, `other-dataset`
   * or `other-model` if the file counts for something else, `not-a-ledger` if it cannot be read as one.
   */
  static open(path: string, identity: LedgerIdentity, atLeast = 0): PrivacyLedger {
    if (!existsSync(path)) {
      if (atLeast > 0) throw lostSteps(path, 0, atLeast)
      create(path, identity)
    }
    const contents = parseLedger(readFileSync(path, 'utf8'), path)
    const found = contents.identity
    if (found.dataset !== identity.dataset)
      throw new LedgerError(
        'other-dataset',
        `${path} counts for data ${found.dataset}, not ${identity.dataset}. Use this data's own ledger.`,
      )
    if (found.model !== identity.model)
      throw new LedgerError(
        'other-model',
        `${path} counts for model ${found.model}, not ${identity.model}. Use this model's own ledger.`,
      )
    const steps = total(contents.segments)
    if (steps < atLeast) throw lostSteps(path, steps, atLeast)
    const file = openSync(path, 'a')
    if (contents.torn) append(file, '\n')
    return new PrivacyLedger(found, contents.segments, file)
  }

  /** Steps recorded so far, by this run and all before it. */
  get steps(): number {
    return total(this.#segments)
  }

  /** Runs of steps with equal parameters, in order. */
  get segments(): readonly Readonly<LedgerSegment>[] {
    return this.#segments
  }

  /**
   * Records one step and waits until it is on the disk; returns the steps so far. Call it before drawing the step's
   * noise: when it throws, nothing may be released. Throws LedgerError `bad-parameters`, or `other-writer` if another
   * run has written to the file since: its parameters would be taken for this run's.
   */
  record(parameters: StepParameters): number {
    const step = checkParameters(parameters)
    if (fstatSync(this.#file).size !== this.#size)
      throw new LedgerError(
        'other-writer',
        'Another run writes to this privacy ledger. Stop it, then resume.',
      )
    const last = this.#segments.at(-1)
    const same =
      last && (Object.keys(step) as (keyof StepParameters)[]).every((key) => step[key] === last[key])
    if (!same) {
      append(this.#file, `${JSON.stringify({ segment: step })}\n`)
      this.#segments.push({ ...step, steps: 0 })
    }
    const number = this.steps + 1
    append(this.#file, `${JSON.stringify({ step: number })}\n`)
    this.#segments.at(-1)!.steps++
    this.#size = fstatSync(this.#file).size
    return number
  }

  /** Epsilon spent at `delta` by the Renyi accountant. */
  rdpEpsilon(delta: number): number {
    return rdpEpsilonOf(this.#segments, delta)
  }

  /** Epsilon spent at `delta` by the numerical accountant, with its bounds. */
  prvEpsilon(delta: number, epsilonError?: number): PrvEpsilon {
    return prvEpsilonOf(this.#segments, { delta, epsilonError })
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** What the ledger at `path` holds, without opening it for writing. Throws LedgerError `missing` or `not-a-ledger`. */
export function readLedger(path: string): {
  identity: LedgerIdentity
  segments: LedgerSegment[]
  steps: number
} {
  if (!existsSync(path)) throw new LedgerError('missing', `There is no privacy ledger at ${path}.`)
  const { identity, segments } = parseLedger(readFileSync(path, 'utf8'), path)
  return { identity, segments, steps: total(segments) }
}

const total = (segments: readonly LedgerSegment[]) => segments.reduce((sum, { steps }) => sum + steps, 0)

const lostSteps = (path: string, found: number, taken: number) =>
  new LedgerError(
    'lost-steps',
    `The checkpoint took ${taken} steps, but ${path} counts ${found}. Bring back the ledger that belongs to it.`,
  )

/** The header is complete before the file has its name, so a ledger never lacks one. */
function create(path: string, identity: LedgerIdentity): void {
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w')
  append(file, headerLine(identity))
  closeSync(file)
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

function append(file: number, text: string): void {
  const bytes = Buffer.from(text)
  if (writeSync(file, bytes) !== bytes.length)
    throw new Error('The privacy ledger could not be written: is the disk full?')
  fsyncSync(file)
}

/** Makes a new name durable. Windows does not open directories, and does not need it. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}
