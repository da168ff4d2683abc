/** A child process: the cleartext model, on one thread. */
import { Tensor } from 'onnxruntime-node'
import { openSession } from '../tools/onnx/session.ts'
import { serve } from './child.ts'
import { bertBase, encoderGraph, encoderInput } from './cleartext-graph.ts'

const session = openSession(encoderGraph(bertBase), 1)
const x = new Tensor('float32', encoderInput(bertBase), [bertBase.tokens, bertBase.dim])

serve({
  /** Seconds of each of so many runs, after one that is not counted. */
  async run(times: number): Promise<number[]> {
    const seconds: number[] = []
    for (let i = 0; i <= times; i++) {
      const started = performance.now()
      await (await session).run({ x })
      seconds.push((performance.now() - started) / 1000)
    }
    return seconds.slice(1)
  },
})
