import type { InferenceSession } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'

/** The outputs `d NAME` of a training graph, by name. */
export const gradientsOf = (
  results: InferenceSession.ReturnType,
  weights: Tensors,
): Map<string, Float32Array> =>
  new Map([...weights.keys()].map((name) => [name, results[`d ${name}`].data as Float32Array]))
