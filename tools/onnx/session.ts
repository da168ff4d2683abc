import { InferenceSession } from 'onnxruntime-node'

/** Opens a graph for repeated runs on `threads` threads. */
export const openSession = (model: Uint8Array, threads: number): Promise<InferenceSession> =>
  InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Waiting threads must not burn the cores that other programs want.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
