import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import type { MatrixKind, Precision, Shifts } from './precision.ts'

/** A private matrix: its kind, and which of its layer's learned steps it is divided (1) or multiplied (-1) by. */
export interface PrivateMatrix {
  readonly weight: string
  readonly bias?: string
  readonly kind: MatrixKind
  /** Names of steps, and the power in which each is in the matrix. */
  readonly steps: ReadonlyArray<readonly [step: string, power: 1 | -1]>
}

/**
 * The private matrices of a model. A step is what one value of a layer is measured in, relative to the model's unit: what
 * makes the value has it once, what reads the value has its inverse, so that only rounding depends on it. They are folded
 * into the scales of the columns, and are no part of the model.
 */
export function privateMatrices(config: ModelConfig): PrivateMatrix[] {
  const { layers, head } = graphOf(config)
  const found: PrivateMatrix[] = layers.flatMap((l, i) => {
    const step = (name: string): string => `step.${i}.${name}`
    const [qk, v, g, u] = ['qk', 'v', 'g', 'u'].map(step)
    const inner = l.up ? [g, u] : [g]
    return [
      { ...l.query, kind: 'qk', steps: [[qk, 1]] },
      { ...l.key, kind: 'qk', steps: [[qk, -1]] },
      { ...l.value, kind: 'v', steps: [[v, 1]] },
      { ...l.attentionOutput, kind: 'out', steps: [[v, -1]] },
      { ...l.gate, kind: 'up', steps: [[g, 1]] },
      ...(l.up ? [{ ...l.up, kind: 'up', steps: [[u, 1]] } satisfies PrivateMatrix] : []),
      { ...l.down, kind: 'down', steps: inner.map((name) => [name, -1] as const) },
    ] satisfies PrivateMatrix[]
  })
  return head.kind === 'labels' ? [...found, { ...head.output, kind: 'head', steps: [] }] : found
}

/** Names of all steps. */
export const stepNames = (config: ModelConfig): string[] => [
  ...new Set(privateMatrices(config).flatMap(({ steps }) => steps.map(([name]) => name))),
]

/** Fraction bits of what a matrix of this kind reads. */
export const inputBits = (kind: MatrixKind, p: Precision, s: Shifts): number =>
  ({ qk: p.x, v: p.x, out: s.fa, up: s.tg + p.g - p.weights.up, down: s.fh, head: p.x })[kind]
