import type { InferenceSession } from 'onnxruntime-node'

/** For a server, which does other things besides. */
export const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // Waiting threads must not burn the cores that other programs want.
  extra: { session: { intra_op: { allow_spinning: '0' } } },
})
