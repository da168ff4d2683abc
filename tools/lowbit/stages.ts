import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Bits, Precision } from './precision.ts'
import { precisionFor, type Sizes, unrounded } from './scales.ts'
import type { Measured } from './task.ts'

/** A part of a lowbit training: what is rounded in it, and how long it lasts. */
export interface Stage {
  readonly name: string
  /** Absent where nothing is rounded. */
  readonly rounds?: { readonly bits: Bits; readonly weights: boolean }
  readonly epochs: number
}

/**
 * From floating point to few bits, a little at a time (Bai et al., 2021; Liu et al., BiT, 2022): the form itself, then
 * activations of eight bits, then weights, then activations of fewer bits.
 */
export function stagesFor(bits: Bits, epochs: number): Stage[] {
  const activations = { w1a8: 'w1a8', w1a6: 'w1a8', w1a4: 'w1a8', w4a6: 'w4a6' } as const
  const first = activations[bits]
  const stages: Stage[] = [
    { name: 'float', epochs: epochs },
    { name: `w32${first.slice(2)}`, rounds: { bits: first, weights: false }, epochs: 0.25 * epochs },
    { name: first, rounds: { bits: first, weights: true }, epochs: epochs },
  ]
  if (bits === 'w1a6' || bits === 'w1a4')
    stages.push({ name: 'w1a6', rounds: { bits: 'w1a6', weights: true }, epochs: 0.5 * epochs })
  if (bits === 'w1a4') stages.push({ name: 'w1a4', rounds: { bits: 'w1a4', weights: true }, epochs: epochs })
  return stages
}

/** The scales of a stage; `measured` is in units of `by`. */
export function stagePrecision(
  stage: Stage,
  config: ModelConfig,
  masters: Tensors,
  measured: Measured,
  by: Precision,
): Precision {
  if (!stage.rounds) return unrounded(config, masters)
  const sizes: Sizes = {
    qk: measured.qk.rms * 2 ** -by.qk,
    v: measured.v.rms * 2 ** -by.v,
    g: measured.g.rms * 2 ** -by.g,
  }
  return precisionFor(config, masters, stage.rounds.bits, sizes, { weights: stage.rounds.weights })
}
