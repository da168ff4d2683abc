/** The float reference behind the door: what it says, when it is heard, and what it refuses. */
import { expect, test } from 'vitest'
import { createWasmKernels } from '../../kernels/wasm/kernels.ts'
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import { floatModel } from '../../model/graph/decoder-model.ts'
import { encoderModel } from '../../model/graph/encoder-model.ts'
import { randomModel } from '../../model/random.ts'
import { Cancelled, type Connection, type ConnectRequest } from '../protection.ts'
import { clear } from './protection.ts'

const llama: ModelConfig = {
  ...{ arch: 'llama', vocab: 40, dim: 16, layers: 2, heads: 2, kvHeads: 1, ff: 24, eps: 1e-5, context: 24 },
  ...{ ropeTheta: 10_000, activation: 'silu', tied: true },
}
const bert: ModelConfig = {
  ...{ arch: 'bert', vocab: 40, dim: 16, layers: 1, heads: 2, kvHeads: 2, ff: 24, eps: 1e-12, context: 24 },
  ...{ activation: 'gelu', tied: true, types: 2 },
  head: { kind: 'classify', labels: ['no', 'yes'] },
}

function connect(config: ModelConfig, tensors: Tensors, without?: string): Promise<Connection> {
  const manifest = { config, tensors: [...tensors.keys()].map((name) => ({ name })) }
  const held = new Map([...tensors].filter(([name]) => name !== without))
  const request = {
    server: '',
    serverKey: '',
    listing: {},
    download: async () => ({ manifest, hash: '', tokenizer: {}, tensors: held }),
    settings: undefined,
    surroundings: {
      kernels: createWasmKernels(),
      device: () => Promise.reject(new Error('No device is needed.')),
      connect: {},
    },
    onEvent: () => undefined,
  }
  return clear.connect(request as object as ConnectRequest)
}

test('a decoder continues from any of its cached tokens', async () => {
  const tensors = randomModel(llama, 1)
  const connection = await connect(llama, tensors)
  const model = floatModel(llama, tensors)
  expect(await connection.run(0, { ids: [1, 2, 3, 4] })).toEqual(model.forward([1, 2, 3, 4]))
  model.rewind(2)
  const again = model.forward([9, 8])
  expect(await connection.run(2, { ids: [9, 8] })).toEqual(again)
  expect(again).not.toEqual(floatModel(llama, tensors).forward([1, 2, 3, 4]))
  expect(connection.counts()).toMatchObject({ tokens: 6, hops: 0 })
  expect(connection.counts().dealer).toBeUndefined()
  expect(connection.maxTokens).toBe(llama.context)
})

test('an encoder labels, and reads as much as the private run would', async () => {
  const tensors = randomModel(bert, 2)
  const connection = await connect(bert, tensors)
  const input = { ids: [5, 6, 7], types: [0, 0, 1] }
  expect(await connection.run(0, input)).toEqual(encoderModel(bert, tensors).forward(input).logits)
  expect(connection.maxTokens).toBe(24)
})

test('a pass that was stopped before it began is given up, and the next one runs', async () => {
  const connection = await connect(llama, randomModel(llama, 3))
  const abort = new AbortController()
  const stopped = connection.run(0, { ids: [1] }, { signal: abort.signal })
  abort.abort()
  await expect(stopped).rejects.toBeInstanceOf(Cancelled)
  expect(await connection.run(0, { ids: [1] })).toHaveLength(llama.vocab)
})

test('without a private tensor it runs nothing, and says which one is missing', async () => {
  const tensors = randomModel(llama, 4)
  const name = 'model.layers.1.mlp.down_proj.weight'
  await expect(connect(llama, tensors, name)).rejects.toMatchObject({
    code: 'whole-model-needed',
    message: expect.stringContaining(name),
    advice: expect.stringMatching(/whole bundle/),
  })
})

test('nobody can take it for a protection', () => {
  expect(clear).toMatchObject({ id: 'clear', needsServer: false, needsDealer: false })
  expect(clear.notice).toMatchObject({ title: 'No protection', hidesTexts: false })
})
