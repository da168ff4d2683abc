/**
 * Changes of basis of an axis, x to x M, in forms that cost little: index, sign and scale; Hadamard transforms; rotations
 * of pairs. No matrix is ever made of one.
 */
import { hadamard } from './hadamard.ts'

/** y[j] = scale[j] x[from[j]], with a scale of 1 where there is none. */
export interface Monomial {
  readonly kind: 'monomial'
  readonly from: Uint32Array
  readonly scale?: Float64Array
}

/** One of the factors of a map. */
export type Step =
  | Monomial
  /** The orthonormal Walsh-Hadamard transform of each block of so many components, a power of two. */
  | { readonly kind: 'hadamard'; readonly block: number }
  /**
   * Components i and i + head / 2 of each head are a complex number, multiplied by re + im sqrt(-1): what commutes with
   * rotary positions (Su et al., 2021). Factors of all heads one after another.
   */
  | {
      readonly kind: 'pairs'
      readonly head: number
      readonly re: Float64Array
      readonly im: Float64Array
    }

/** An invertible map of `size` components to as many: its steps one after another. */
export interface LinearMap {
  readonly size: number
  readonly steps: readonly Step[]
}

/** Leaves everything as it is. */
export const identity = (size: number): LinearMap => ({ size, steps: [] })

/** y[j] = scale[j] x[from[j]]. */
export const monomial = (from: Uint32Array, scale?: Float64Array): LinearMap => ({
  size: from.length,
  steps: [{ kind: 'monomial', from, ...(scale ? { scale } : {}) }],
})

/** x to (x A) B. Neighbouring monomials become one. */
export function chain(...maps: readonly LinearMap[]): LinearMap {
  const steps: Step[] = []
  for (const step of maps.flatMap((map) => map.steps)) {
    const last = steps.at(-1)
    if (last?.kind === 'monomial' && step.kind === 'monomial') steps[steps.length - 1] = merged(last, step)
    else steps.push(step)
  }
  return { size: maps[0].size, steps }
}

/**
 * Maps of the parts of an axis, the first part's first. The maps are of one form: as many steps, of the same kinds.
 * Throws `RangeError` where they are not.
 */
export function sideBySide(parts: readonly LinearMap[]): LinearMap {
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const steps = parts[0].steps.map((_, i) =>
    besides(parts.map((part) => ({ size: part.size, step: part.steps[i] }))),
  )
  return { size, steps }
}

function besides(parts: readonly { size: number; step: Step }[]): Step {
  const [{ step: first }] = parts
  const all = <K extends Step['kind']>(kind: K) =>
    parts.map(({ step }) => {
      if (step.kind !== kind) throw new RangeError('Maps of another form cannot lie side by side.')
      return step as Step & { kind: K }
    })
  switch (first.kind) {
    case 'monomial':
      return monomialsBesides(all('monomial'))
    case 'hadamard':
      if (all('hadamard').some(({ block }) => block !== first.block))
        throw new RangeError('Transforms of other blocks cannot lie side by side.')
      return first
    case 'pairs': {
      const joined = (of: 're' | 'im') => Float64Array.from(all('pairs').flatMap((step) => [...step[of]]))
      return { ...first, re: joined('re'), im: joined('im') }
    }
  }
}

function monomialsBesides(parts: readonly Monomial[]): Monomial {
  const size = parts.reduce((sum, { from }) => sum + from.length, 0)
  const from = new Uint32Array(size)
  const scale = parts.some((part) => part.scale) ? new Float64Array(size).fill(1) : undefined
  let at = 0
  for (const part of parts) {
    for (let j = 0; j < part.from.length; j++) from[at + j] = at + part.from[j]
    if (part.scale) scale?.set(part.scale, at)
    at += part.from.length
  }
  return { kind: 'monomial', from, ...(scale ? { scale } : {}) }
}

/** The one monomial that a map is, if it is one. */
export function asMonomial({ size, steps }: LinearMap): Monomial | undefined {
  if (steps.length === 0) return { kind: 'monomial', from: Uint32Array.from({ length: size }, (_, i) => i) }
  const [step] = steps
  return steps.length === 1 && step.kind === 'monomial' ? step : undefined
}

/** The inverse of the transpose: where `map` acts on x and this on y, their scalar product stays as it was. */
export const dual = ({ size, steps }: LinearMap): LinearMap => ({ size, steps: steps.map(dualStep) })

function dualStep(step: Step): Step {
  switch (step.kind) {
    case 'monomial':
      return step.scale ? { ...step, scale: step.scale.map((s) => 1 / s) } : step
    case 'hadamard':
      return step
    case 'pairs': {
      const squares = step.re.map((re, i) => re * re + step.im[i] * step.im[i])
      return { ...step, re: step.re.map((x, i) => x / squares[i]), im: step.im.map((x, i) => x / squares[i]) }
    }
  }
}

function merged(first: Monomial, second: Monomial): Monomial {
  const from = second.from.map((j) => first.from[j])
  if (!first.scale && !second.scale) return { kind: 'monomial', from }
  const scale = Float64Array.from(second.from, (j, i) => (first.scale?.[j] ?? 1) * (second.scale?.[i] ?? 1))
  return { kind: 'monomial', from, scale }
}

/**
 * Maps `lanes` vectors at once: component i of vector l is x[i lanes + l]. Works in `x` and `spare`, which is as long, and
 * returns the one of the two that holds the result.
 */
export function apply(
  { steps }: LinearMap,
  x: Float64Array,
  lanes = 1,
  spare: Float64Array = new Float64Array(x.length),
): Float64Array {
  for (const step of steps) {
    switch (step.kind) {
      case 'monomial':
        gather(step, x, spare, lanes)
        ;[x, spare] = [spare, x]
        break
      case 'hadamard':
        hadamard(x, step.block, lanes)
        break
      case 'pairs':
        turn(step, x, lanes)
    }
  }
  return x
}

function gather({ from, scale }: Monomial, x: Float64Array, out: Float64Array, lanes: number): void {
  for (let j = 0, at = 0; j < from.length; j++) {
    const factor = scale ? scale[j] : 1
    for (let l = from[j] * lanes, end = l + lanes; l < end; l++) out[at++] = factor * x[l]
  }
}

function turn(
  { head, re, im }: { head: number; re: Float64Array; im: Float64Array },
  x: Float64Array,
  lanes: number,
): void {
  const half = head / 2
  for (let i = 0; i < re.length; i++) {
    const low = (Math.floor(i / half) * head + (i % half)) * lanes
    for (let l = low; l < low + lanes; l++) {
      const [a, b] = [x[l], x[l + half * lanes]]
      x[l] = re[i] * a - im[i] * b
      x[l + half * lanes] = im[i] * a + re[i] * b
    }
  }
}
