/** The matrices of a model as its plans multiply by them: several dense layers side by side where they read one value. */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { Dense } from '../../../../model/graph/graph.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'

/** A layer's matrices, in the order of a plan: their place tells streams apart. */
export const LAYER_ROLES = ['qk', 'v', 'out', 'up', 'down'] as const
/** `qk`: queries and keys; `up`: the gate as well; `head`: a classifier's. */
export type MatrixRole = (typeof LAYER_ROLES)[number] | 'head'

/** One matrix of a model. */
export interface MatrixPlace {
  readonly layer: number
  readonly role: MatrixRole
}

/** A matrix's name in a plan. */
export const matrixName = ({ layer, role }: MatrixPlace): string => `${layer}.${role}`

/** Tells the weights of a model apart, in all its plans. */
export const weightIndex = ({ layer, role }: MatrixPlace): number =>
  LAYER_ROLES.length * layer + [...LAYER_ROLES.map(String), 'head'].indexOf(role)

/** Every matrix of a model. */
export function allMatrices(config: ModelConfig): MatrixPlace[] {
  const { layers, head } = graphOf(config)
  return [
    ...layers.flatMap((_, layer) => LAYER_ROLES.map((role) => ({ layer, role }))),
    ...(head.kind === 'labels' ? [{ layer: layers.length, role: 'head' as const }] : []),
  ]
}

/** The dense layers that a matrix is made of, side by side. Throws for a role that the model does not have. */
export function denseOf(config: ModelConfig, { layer, role }: MatrixPlace): Dense[] {
  const { layers, head } = graphOf(config)
  if (role === 'head') {
    if (head.kind !== 'labels') throw new RangeError('The model has no classifier.')
    return [head.output]
  }
  const l = layers[layer]
  const parts = {
    qk: [l.query, l.key],
    v: [l.value],
    out: [l.attentionOutput],
    up: l.up ? [l.gate, l.up] : [l.gate],
    down: [l.down],
  }
  return parts[role]
}

/** Whether a matrix comes with a bias row. */
export const hasBias = (config: ModelConfig, place: MatrixPlace): boolean =>
  denseOf(config, place).some(({ bias }) => bias !== undefined)
