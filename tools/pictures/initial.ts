import type { Tensors } from '../../src/model/architectures/config.ts'
import { PredictableRandom } from '../../src/model/random.ts'

/** Gains of one, biases of zero, and matrices that keep the size of what goes through them; `damped` ones less so. */
export function initialTensors(
  shapes: ReadonlyMap<string, readonly number[]>,
  seed: number,
  damped: { names: RegExp; by: number },
): Tensors {
  const random = new PredictableRandom(seed)
  const tensors: Tensors = new Map()
  for (const [name, shape] of shapes) {
    const length = shape.reduce((a, b) => a * b, 1)
    const data = new Float32Array(length)
    const isTable = /class_embedding|cls_token|position_embedding|embed_tokens/.test(name)
    if (shape.length === 1 && !isTable) data.fill(name.endsWith('.bias') ? 0 : 1)
    else {
      const std = isTable ? 0.02 : Math.sqrt(shape[0] / length) * (damped.names.test(name) ? damped.by : 1)
      for (let i = 0; i < length; i++) data[i] = std * random.normal()
    }
    tensors.set(name, { shape: [...shape], data })
  }
  return tensors
}
