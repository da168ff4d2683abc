/** Activations by Hugging Face's names. */
import type { Activation } from '../../../../model/architectures/config.ts'
import type { Graph, Value } from './graph.ts'

/** What models of the families use. */
export const activations: readonly Activation[] = ['silu', 'gelu', 'gelu_tanh', 'relu']

/** Of each value. */
export function activate(g: Graph, x: Value, kind: Activation): Value {
  switch (kind) {
    case 'silu':
      return g.op('Mul', [x, g.op('Sigmoid', [x])])
    case 'relu':
      return g.op('Relu', [x])
    case 'gelu':
      return g.contrib('Gelu', [x], 1, {})[0]
    case 'gelu_tanh': {
      const cubed = g.op('Mul', [g.op('Mul', [x, x]), x])
      const inner = g.op('Add', [x, g.op('Mul', [cubed, g.scalar(0.044715)])])
      const raised = g.op('Tanh', [g.op('Mul', [inner, g.scalar(Math.sqrt(2 / Math.PI))])])
      return g.op('Mul', [g.op('Mul', [x, g.scalar(0.5)]), g.op('Add', [raised, g.scalar(1)])])
    }
    default:
      throw new RangeError(`No engine has ${kind}.`)
  }
}
