/** Products of many rows with a matrix that stays, in float32, by ONNX Runtime. */
import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { openSession } from '../../onnx/session.ts'
import { Tape } from '../../onnx/tape.ts'

/** x W' for a matrix W [outputs, inputs]. */
export interface Product {
  readonly outputs: number
  /** x [rows, inputs] to [rows, outputs]. */
  (x: Float32Array): Promise<Float32Array>
}

/** Opens matrices for inputs of `rows` rows, runs `body`, and closes them. */
export async function withProducts<T>(
  rows: number,
  body: (open: (matrix: Float32Array, inputs: number) => Promise<Product>) => Promise<T>,
): Promise<T> {
  const sessions: InferenceSession[] = []
  try {
    return await body(async (matrix, inputs) => {
      const outputs = matrix.length / inputs
      const tape = new Tape()
      const x = tape.input('x', [rows, inputs])
      const w = tape.constant(matrix, [outputs, inputs])
      tape.output('y', tape.op('Gemm', [x, w], [rows, outputs], { transB: 1 }))
      const session = await openSession(tape.model(), 1)
      sessions.push(session)
      const run = async (values: Float32Array): Promise<Float32Array> => {
        const results = await session.run({ x: new OrtTensor('float32', values, [rows, inputs]) })
        return results.y.data as Float32Array
      }
      return Object.assign(run, { outputs })
    })
  } finally {
    for (const session of sessions) await session.release()
  }
}
