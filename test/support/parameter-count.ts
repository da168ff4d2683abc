import type { ModelConfig } from '../../src/model/architectures/config.ts'
import { tensorShapes } from '../../src/model/graph/tensors.ts'

/** Number of parameters of a model. */
export function parameterCount(config: ModelConfig): number {
  let total = 0
  for (const shape of tensorShapes(config).values()) total += shape.reduce((a, b) => a * b, 1)
  return total
}
