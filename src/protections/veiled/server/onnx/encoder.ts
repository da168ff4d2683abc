/** Classifiers of texts on ONNX Runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type Cloud, readCheckpoint } from '../checkpoint.ts'
import type { LabelEngine } from '../engine.ts'
import { type encoderForm, encoderGraph, encoderSizes } from './encoder-graph.ts'
import { sessionOptions } from './session.ts'

type EncoderForm = NonNullable<ReturnType<typeof encoderForm>>

/** Builds the graph and loads it. Rejects with `EngineError` or `HfConfigError` for what it cannot run. */
export async function loadEncoder(cloud: Cloud, form: EncoderForm, threads: number): Promise<LabelEngine> {
  const checkpoint = readCheckpoint(cloud)
  const sizes = encoderSizes(form, checkpoint)
  const offset = form.offset(checkpoint)
  const session = await InferenceSession.create(encoderGraph(form, checkpoint), sessionOptions(threads))
  // Texts take turns, so that who leaves the queue is not computed for.
  let last: Promise<unknown> = Promise.resolve()
  const run = async (ids: Uint32Array, types: Uint8Array): Promise<Float32Array> => {
    const integers = (values: ArrayLike<number>) =>
      new Tensor('int64', BigInt64Array.from(Array.from(values), BigInt), [1, ids.length])
    const { logits } = await session.run({
      ids: integers(ids),
      types: integers(types),
      positions: integers(Array.from(ids, (_, i) => offset + i)),
    })
    return (logits.data as Float32Array).slice()
  }
  return {
    kind: 'labels',
    name: 'ONNX Runtime on the processor',
    ...sizes,
    async classify(ids, types, signal) {
      const turn = last.then(async () => {
        signal.throwIfAborted()
        return run(ids, types)
      })
      last = turn.catch(() => undefined)
      return turn
    },
    close: async () => {
      await last
      await session.release()
    },
  }
}
