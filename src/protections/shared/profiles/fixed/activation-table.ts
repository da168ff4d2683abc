/** Range, segments and degree of an activation's table: the fewest dealt words that meet the error. */
import type { PoolActivation } from '../../../../model/architectures/architecture.ts'
import type { Activation } from '../../../../model/architectures/config.ts'
import { activations, geluSprint } from '../../../../model/math.ts'
import { activationWords } from '../../ops/activate.ts'
import { Fitter } from '../../tables/fit.ts'

/** How finely a function is tabulated. */
export interface TableShape {
  /** The table spans [-2^half, 2^half). */
  readonly half: number
  /** What it holds of that: half a segment less at either end, more than it was made for. */
  readonly limit: number
  readonly entryBits: number
  readonly degree: number
  readonly error: number
}

/** SPRINT's GELU leaves its quartic, and jumps by this much, at +-2.7. */
const SPRINT_END = 2.7
const SPRINT_JUMP = SPRINT_END - geluSprint(SPRINT_END)
const BRIDGE = 0.25

/** SPRINT's GELU with its two jumps bridged by straight lines over +-0.25: no more than half a jump (0.0055) off. */
function bridgedSprint(x: number): number {
  const beyond = (Math.abs(x) - SPRINT_END) / BRIDGE
  const step = beyond > 0 ? SPRINT_JUMP : 0
  return geluSprint(x) - step + SPRINT_JUMP * Math.min(1, Math.max(0, (beyond + 1) / 2))
}

/**
 * What tables hold for an activation function, the error that is worth aiming for, and at how many places borders are
 * tried at least: segments meet a function's kinks anywhere.
 */
const tabulable: Record<
  Activation | PoolActivation,
  { f: (x: number) => number; least: number; places: number }
> = {
  silu: { f: activations.silu, least: 0, places: 0 },
  gelu: { f: activations.gelu, least: 0, places: 0 },
  gelu_tanh: { f: activations.gelu_tanh, least: 0, places: 0 },
  gelu_sprint: { f: bridgedSprint, least: 0.00165, places: 32 },
  // Its kink would take a table for each of a thousand places; it is off by less than this, near zero alone.
  relu: { f: activations.relu, least: 2 ** -7, places: 32 },
  linear: { f: activations.linear, least: 0, places: 0 },
  tanh: { f: Math.tanh, least: 0, places: 0 },
}

/** How closely tables follow a function, at how many places of their borders, and fraction bits of their public basis. */
export interface TablePrecision {
  readonly tolerance: number
  readonly places: number
  readonly basisBits: number
}

/**
 * For the activations between layers. A model that reads whole texts runs many rows at once, so that dealt bytes weigh
 * more: together with rounding it stays within 0.002.
 */
export const activationPrecision = (hasManyRows: boolean): TablePrecision =>
  hasManyRows
    ? { tolerance: 0.0012, places: 16, basisBits: 12 }
    : { tolerance: 2 ** -12, places: 4, basisBits: 13 }

/** The table of a model's activation function, with the function that it holds: what `activate` takes. */
export function tableOf(
  name: Activation | PoolActivation,
  limit: number,
  precision: TablePrecision,
): TableShape & { f: (x: number) => number } {
  const { f, least, places } = tabulable[name]
  const tolerance = Math.max(precision.tolerance, least)
  return { f, ...activationTable(name, f, limit, tolerance, Math.max(places, precision.places)) }
}

/** Units of an opening of so many bits that are beyond a table's limit, at either end. */
export const tableMargin = (bits: number, { half, limit }: TableShape): number =>
  (2 ** half - limit) * 2 ** (bits - 1 - half)

/** Largest error over [-limit, limit] with segments of this width, borders shifted by fractions of one. */
function worst(
  f: (x: number) => number,
  limit: number,
  width: number,
  degree: number,
  enough: number,
  places: number,
): number {
  const fitter = new Fitter(degree)
  const c = new Float64Array(fitter.words)
  let error = 0
  for (let place = 0; place < places; place++)
    for (let low = -limit - (place / places) * width; low < limit; low += width) {
      fitter.fit(f, low, width, 2 ** 40, c, 0)
      for (let i = 0; i <= 24; i++) {
        const x = (2 * i) / 24 - 1
        let y = 0
        for (let k = 0; k < c.length; k++)
          y += (c[k] / 2 ** 40) * Math.cos(k * Math.acos(Math.max(-1, Math.min(1, x))))
        error = Math.max(error, Math.abs(y - f(low + ((x + 1) / 2) * width)))
      }
      if (error > enough) return error
    }
  return error
}

const memo = new Map<string, TableShape>()

/**
 * For arguments in [-limit, limit]. A segment that reaches over the end of the range comes back at the other end, so
 * what the range has to spare must be as wide as a segment. Degrees 3..12, 2..256 segments.
 */
export function activationTable(
  name: string,
  f: (x: number) => number,
  limit: number,
  tolerance: number,
  places = 4,
): TableShape {
  const key = `${name} ${limit} ${tolerance} ${places}`
  const known = memo.get(key)
  if (known) return known
  const least = Math.max(0, Math.ceil(Math.log2(limit)))
  let best: TableShape | undefined
  let words = Infinity
  for (const half of [least, least + 1])
    for (let degree = 3; degree <= 12; degree++)
      for (let entryBits = 1; entryBits <= 8; entryBits++) {
        const cost = activationWords({ entryBits, degree })
        if (cost >= words) break
        const width = 2 ** (half + 1 - entryBits)
        if (width > 2 * (2 ** half - limit)) continue
        const error = worst(f, limit, width, degree, tolerance, places)
        if (error > tolerance) continue
        words = cost
        best = { half, limit: 2 ** half - width / 2, entryBits, degree, error }
      }
  if (!best) throw new RangeError(`no table for '${name}' over +-${limit} reaches an error of ${tolerance}`)
  memo.set(key, best)
  return best
}
