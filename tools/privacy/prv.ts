/**
 * A tight numerical accountant (Gopi, Lee and Wutschitz 2021): the privacy loss of each step is rounded to a grid that
 * keeps its mean, the grids are convolved by Fourier transform, and epsilon is read off the result, with an upper and a
 * lower bound. Both directions of neighbouring data sets are composed, and the worse one counts.
 */
import FFT from 'fft.js'
import { AccountingError, checkDelta, checkEpsilon, type Mechanism, merged } from './mechanism.ts'
import { type Direction, privacyLoss } from './privacy-loss.ts'
import { type PrivacyTarget, rdpEpsilonOf, rdpSigma } from './rdp.ts'

/** Epsilon at the delta that was asked for, in nats. */
export interface PrvEpsilon {
  /** The true epsilon is not below this one, */
  lower: number
  estimate: number
  /** nor above this one: the one to promise. */
  upper: number
}

/** What to state epsilon at, and how exactly. */
export interface PrvOptions {
  delta: number
  /**
   * Largest error of epsilon to aim at. Where it needs more than 2^22 cells, the bounds widen instead. Without it, a
   * thousandth of epsilon, or what 2^17 cells allow.
   */
  epsilonError?: number
}

const MAX_CELLS = 2 ** 22
/** An answer takes a fraction of a second, and a look while searching a tenth of that. */
const CELLS = 2 ** 17
const SEARCH_CELLS = 2 ** 14
/** Part of delta given away to the tails beyond the grid; the bounds pay for it. */
const DELTA_SHARE = 1e-3
/** Below this, rounding in the transforms would no longer be small beside the tails. */
const MIN_DELTA = 1e-10

/** Grid on which all losses are rounded: cell i is centred at (i < cells / 2 ? i : i - cells) * width. */
interface Grid {
  cells: number
  width: number
  epsilonError: number
  deltaError: number
}

/** A composed loss: `mass[i]` at `start + i * width`. */
interface Composed {
  mass: Float64Array
  start: number
  width: number
}

/**
 * Epsilon at `delta` of mechanisms applied one after another, with bounds that hold up to the rounding of doubles.
 * Throws AccountingError for a delta under 1e-10, where that rounding would count.
 */
export function prvEpsilonOf(
  mechanisms: readonly Mechanism[],
  options: PrvOptions,
  mostCells = options.epsilonError === undefined ? CELLS : MAX_CELLS,
): PrvEpsilon {
  checkDelta(options.delta)
  if (options.delta < MIN_DELTA)
    throw new AccountingError(
      `Delta ${options.delta} is too small for the numerical accountant. Use the Renyi one.`,
    )
  const parts = merged(mechanisms)
  if (parts.length === 0) return { lower: 0, estimate: 0, upper: 0 }
  const grid = gridFor(parts, options, mostCells)
  const { delta } = options
  const ends = (['remove', 'add'] as const).map((direction) => {
    const composed = compose(parts, grid, direction)
    return {
      lower: Math.max(0, epsilonAt(composed, delta + grid.deltaError) - grid.epsilonError),
      estimate: epsilonAt(composed, delta),
      upper: epsilonAt(composed, delta - grid.deltaError) + grid.epsilonError,
    }
  })
  const worse = (key: keyof PrvEpsilon) => Math.max(...ends.map((end) => end[key]))
  // What the Renyi accountant proves holds as well: where epsilon is small beside the grid's error it is the tighter one.
  const upper = Math.min(worse('upper'), rdpEpsilonOf(parts, delta))
  return { lower: worse('lower'), estimate: Math.min(worse('estimate'), upper), upper }
}

/** Epsilon at `delta` of `steps` equal steps; see prvEpsilonOf. */
export const prvEpsilon = ({ delta, epsilonError, ...mechanism }: Mechanism & PrvOptions): PrvEpsilon =>
  prvEpsilonOf([mechanism], { delta, epsilonError })

/**
 * A noise multiplier whose upper bound of epsilon is at most the target: the smallest one, from above to about 1e-3 of
 * itself. The Renyi accountant's stands where nothing smaller is proved. The estimate hardly depends on the grid, so a
 * coarse one does the searching and the fine one confirms.
 */
export function prvSigma({ epsilon, delta, q, steps }: PrivacyTarget): number {
  checkEpsilon(epsilon)
  const most = rdpSigma({ epsilon, delta, q, steps })
  const fine = (sigma: number) => prvEpsilonOf([{ sigma, q, steps }], { delta })
  const coarse = (sigma: number) => prvEpsilonOf([{ sigma, q, steps }], { delta }, SEARCH_CELLS).estimate
  const { estimate, upper } = fine(most)
  const aim = epsilon - (upper - estimate)
  // Epsilon falls with sigma much like a power of it: the search is Newton's, on logarithms, by secants.
  let [sigma, found] = [most, coarse(most)]
  let slope = -1
  for (let i = 0; i < 6 && found > 0 && aim > 0 && Math.abs(found / aim - 1) > 1e-3; i++) {
    const next = sigma * Math.min(2, Math.max(0.5, (aim / found) ** (1 / slope)))
    const there = coarse(next)
    if (there <= 0 || next === sigma) break
    const measured = Math.log(there / found) / Math.log(next / sigma)
    if (measured < -0.1) slope = measured
    ;[sigma, found] = [next, there]
  }
  for (let more = 1e-3; sigma < most; more *= 2) {
    if (fine(sigma).upper <= epsilon) return sigma
    sigma *= 1 + more
  }
  return most
}

/**
 * Half-width and cells of the grid, by theorem 5.5 and its proof: the rounding error of k steps is sub-Gaussian, and
 * the tails beyond the grid, of one step and of all, are bounded through the Renyi accountant.
 */
function gridFor(parts: Mechanism[], { delta, epsilonError }: PrvOptions, mostCells: number): Grid {
  if (epsilonError !== undefined && !(epsilonError > 0))
    throw new AccountingError(`Error of epsilon ${epsilonError}: it must be above 0.`)
  const steps = parts.reduce((sum, part) => sum + part.steps, 0)
  const deltaError = delta * DELTA_SHARE
  const spread = Math.sqrt((steps / 2) * Math.log(12 / deltaError))
  const single = parts.map((part) => rdpEpsilonOf([{ ...part, steps: 1 }], deltaError / 8 / steps))
  const all = rdpEpsilonOf(parts, deltaError / 4)
  // Matching the means moves the sum by at most half a cell a step.
  const reach = (error: number) => 3 + Math.max(error + all, ...single) + (steps * error) / spread / 2
  const cellsFor = (error: number) => 2 ** Math.ceil(Math.log2((2 * reach(error) * spread) / error))
  let error = epsilonError ?? Math.max(all / 1000, 1e-6)
  while (cellsFor(error) > mostCells) error *= 1.25
  const cells = cellsFor(error)
  const width = (2 * reach(error)) / cells
  return { cells, width, epsilonError: width * spread, deltaError }
}

function compose(parts: Mechanism[], { cells, width }: Grid, direction: Direction): Composed {
  const half = cells / 2
  const fourier = new FFT(cells)
  const masses = new Float64Array(cells)
  // Complex numbers, each a real part and an imaginary one.
  const spectrum = new Float64Array(2 * cells)
  // Product of the parts' transforms, each to the power of its steps, as logarithm and angle.
  const logs = new Float64Array(half + 1)
  const angles = new Float64Array(half + 1)
  let shift = 0
  for (const { sigma, q, steps } of parts) {
    const loss = privacyLoss(sigma, q, direction)
    let total = 0
    let mean = 0
    const inOrder = loss.probabilities(-(half + 0.5) * width, width, cells)
    for (let i = 0; i < cells; i++) {
      const probability = inOrder[(i + half) % cells]
      masses[i] = probability
      total += probability
      mean += probability * (i < half ? i : i - cells) * width
    }
    for (let i = 0; i < cells; i++) masses[i] /= total
    shift += steps * (loss.mean(-(half + 0.5) * width, (half - 0.5) * width) - mean / total)
    fourier.realTransform(spectrum, masses)
    // The other half is its mirror image, for the masses are real.
    for (let i = 0; i <= half; i++) {
      const [re, im] = [spectrum[2 * i], spectrum[2 * i + 1]]
      logs[i] += steps * Math.log(Math.hypot(re, im))
      angles[i] += steps * Math.atan2(im, re)
    }
  }
  for (let i = 0; i <= half; i++) {
    const size = Math.exp(logs[i])
    spectrum[2 * i] = size * Math.cos(angles[i])
    spectrum[2 * i + 1] = size * Math.sin(angles[i])
  }
  fourier.completeSpectrum(spectrum)
  const composed = new Float64Array(2 * cells)
  fourier.inverseTransform(composed, spectrum)
  const mass = new Float64Array(cells)
  for (let i = 0; i < cells; i++) mass[i] = composed[2 * ((i + half) % cells)]
  return { mass, start: shift - half * width, width }
}

/**
 * The epsilon, at least 0, at which delta(epsilon) = E[(1 - e^(epsilon - loss))+] comes down to `delta`. Walks from the
 * top cell down with the sums of mass and of mass e^-loss above the current point.
 */
function epsilonAt({ mass, start, width }: Composed, delta: number): number {
  let above = 0
  // Sum of mass e^(t - loss), t being the current cell: rescaled as t falls, it cannot overflow.
  let discounted = 0
  const fall = Math.exp(-width)
  for (let i = mass.length - 1; i >= 0; i--) {
    const t = start + i * width
    above += mass[i]
    discounted = discounted * fall + mass[i]
    // delta at epsilons in the cell below is above - e^(epsilon - t) discounted.
    const next = Math.max(0, t - width)
    if (t >= 0 && above - Math.exp(next - t) * discounted >= delta)
      return Math.max(0, t + Math.log((above - delta) / discounted))
    if (t < 0) return 0
  }
  return 0
}
