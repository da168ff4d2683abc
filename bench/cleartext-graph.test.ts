import { Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { openSession } from '../tools/onnx/session.ts'
import { bertBase, encoderGraph, encoderInput, floatingPointOperations } from './cleartext-graph.ts'

const small = { tokens: 5, layers: 2, dim: 12, heads: 3, ff: 20 }

test('the cleartext encoder mixes rows, ends in a norm, and is the same each time', async () => {
  const run = async (x: Float32Array) => {
    const session = await openSession(encoderGraph(small), 1)
    const { y } = await session.run({ x: new Tensor('float32', x, [small.tokens, small.dim]) })
    return y.data as Float32Array
  }
  const x = encoderInput(small)
  const y = await run(x)
  expect(await run(x)).toEqual(y)
  const other = x.slice()
  other[0] += 1
  const moved = await run(other)
  for (let r = 0; r < small.tokens; r++) {
    const row = y.subarray(r * small.dim, (r + 1) * small.dim)
    expect(row.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 4)
    expect(row.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(small.dim, 2)
    expect(moved.subarray(r * small.dim, (r + 1) * small.dim)).not.toEqual(row)
  }
})

test('BERT-base on 128 tokens takes 22 billion floating-point operations', () => {
  expect(floatingPointOperations(bertBase) / 1e9).toBeCloseTo(22.35, 1)
})
