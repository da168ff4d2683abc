/** Measures what a modified data owner learns of private weights, query by query, from what honest parties release. */
import { SessionError } from '../../src/handshake/errors.ts'
import type { NudgedPlans } from './nudged-plans.ts'
import { cosine, dot, linearRow, normalisedRows } from './recover.ts'

export interface AttackOptions {
  readonly plans: NudgedPlans
  /** One pass at the start of an empty conversation: its released row. Rejects where the parties refuse another. */
  readonly query: () => Promise<Float64Array>
  /** The matrix as its owner has it, row by row: to compare with, never used to attack. */
  readonly truth: ArrayLike<number>
  /** Passes at most. */
  readonly queries: number
  readonly onProgress?: (queries: number, rows: number) => void
}

/** How well rows were recovered by so many queries. */
export interface Learned {
  readonly queries: number
  readonly rows: number
  /** Cosine of the angle to the true rows. */
  readonly meanCosine: number
  readonly leastCosine: number
}

export interface AttackReport {
  readonly matrix: string
  readonly rows: number
  readonly columns: number
  readonly released: 'hidden state' | 'logits'
  readonly learned: readonly Learned[]
  /** Mean absolute cosine to the next row instead of the right one: what no knowledge would give. */
  readonly chanceCosine: number
  /** The parties refused to go on, before the queries were used up. */
  readonly isRefused: boolean
}

/** Rows that share one query for their sum. */
const GROUP = 16
/**
 * Of the amount, in the query for the sum: about one over the root of their number, as rows point anywhere, lest it leave
 * the range that the model was calibrated for. Its inverse is no whole number, at which the scales would be lost.
 */
const SUM = 3 / 8
/** Nudges are multiples of this, so that `SUM` of them is exact in fixed point. */
const STEP = 2 ** -10
/** Size that a nudge's effect should have beside the released row itself. */
const EFFECT = 0.5
const CHECKPOINTS = 8

interface Recovered {
  readonly row: Float64Array
  /** Queries until it was known. */
  readonly queries: number
}

/** Asks, and counts. */
class Spy {
  readonly recovered: Recovered[] = []
  queries = 0
  readonly #options: AttackOptions

  constructor(options: AttackOptions) {
    this.#options = options
  }

  async ask(columns: readonly number[], amount: number): Promise<Float64Array> {
    const { plans, query, queries } = this.#options
    if (this.queries >= queries) throw new Spent()
    plans.nudge = { columns, amount }
    const released = await query()
    this.queries++
    this.#options.onProgress?.(this.queries, this.recovered.length)
    return released
  }

  keep(rows: readonly Float64Array[]): void {
    for (const row of rows) this.recovered.push({ row, queries: this.queries })
  }

  /** An amount whose effect is about half as large as what is released anyway. */
  async amount(base: Float64Array): Promise<number> {
    const effect = linearRow(base, await this.ask([0], 1), 1)
    const relative = Math.sqrt(dot(effect, effect) / dot(base, base))
    return Math.max(1, Math.round(EFFECT / Math.max(relative, STEP) / STEP)) * STEP
  }
}

/** The queries are used up. */
class Spent extends Error {
  override readonly name = 'Spent'
}

/** Rejects with whatever ends a session, but for the end of the queries and a refusal of more. */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { plans, truth } = options
  const { name, k, n } = plans.target()
  const isLinear = plans.isPrivate('head')
  const spy = new Spy(options)
  let isRefused = false
  try {
    await (isLinear ? readLinear(spy, k) : readNormalised(spy, k))
  } catch (error) {
    isRefused = error instanceof SessionError && error.code === 'rate-limited'
    if (!isRefused && !(error instanceof Spent)) throw error
  }
  const cosines = spy.recovered.map(({ row }, i) => cosine(row, rowOf(truth, n, i)))
  const wrong = spy.recovered.map(({ row }, i) => Math.abs(cosine(row, rowOf(truth, n, (i + 1) % k))))
  return {
    matrix: name,
    rows: k,
    columns: n,
    released: isLinear ? 'logits' : 'hidden state',
    learned: checkpoints(spy, cosines),
    chanceCosine: mean(wrong),
    isRefused,
  }
}

/** Nothing but the matrix comes after the nudge: one query a row, and one without a nudge. */
async function readLinear(spy: Spy, rows: number): Promise<void> {
  const base = await spy.ask([], 0)
  const amount = await spy.amount(base)
  for (let row = 0; row < rows; row++) spy.keep([linearRow(base, await spy.ask([row], amount), amount)])
}

/** A normalisation comes after: its scale is found from a group of rows and their sum. */
async function readNormalised(spy: Spy, rows: number): Promise<void> {
  const base = await spy.ask([], 0)
  const amount = await spy.amount(base)
  for (let first = 0; first < rows; first += GROUP) {
    // A group of one would have no sum.
    const from = Math.max(0, Math.min(first, rows - 2))
    const columns = Array.from({ length: Math.min(GROUP, rows - from) }, (_, i) => from + i)
    const singles: Float64Array[] = []
    for (const column of columns) singles.push(await spy.ask([column], amount))
    const sum = await spy.ask(columns, amount * SUM)
    spy.keep(normalisedRows(base, singles, sum, SUM).slice(first - from))
  }
}

/** Queries that the whole matrix takes. */
export const queriesFor = (rows: number, released: AttackReport['released']): number =>
  2 + (released === 'logits' ? rows : rows + Math.ceil(rows / GROUP))

/** What was known after an eighth of the queries, two eighths, and so on. */
function checkpoints({ queries, recovered }: Spy, cosines: readonly number[]): Learned[] {
  const out: Learned[] = []
  for (let i = 1; i <= CHECKPOINTS; i++) {
    const until = Math.ceil((queries * i) / CHECKPOINTS)
    const known = cosines.filter((_, row) => recovered[row].queries <= until)
    const leastCosine = known.length === 0 ? 0 : Math.min(...known)
    out.push({ queries: until, rows: known.length, meanCosine: mean(known), leastCosine })
  }
  return out
}

const rowOf = (matrix: ArrayLike<number>, n: number, row: number): number[] =>
  Array.from({ length: n }, (_, j) => matrix[row * n + j])

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length
