import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Batch, GradientEngine, LossAndGradients } from '../train/gradient.ts'
import { DecoderGraph } from './decoder.ts'
import { crossEntropy } from './layers.ts'
import { summed } from './parameters.ts'
import { openSession } from './session.ts'
import { Tape } from './tape.ts'

/**
 * Loss and gradient of the LLaMA form as one ONNX graph, several times as fast on a CPU as jax-js.
 * A graph is built and compiled for each batch shape that occurs.
 */
export async function onnxEngine(config: ModelConfig, threads = 2): Promise<GradientEngine> {
  const sessions = new Map<string, Promise<InferenceSession>>()
  const session = ({ rows, length }: Batch) => {
    const key = `${rows}x${length}`
    let known = sessions.get(key)
    if (!known) {
      known = openSession(buildStep(config, rows, length), threads)
      sessions.set(key, known)
    }
    return known
  }
  return {
    name: 'onnxruntime',
    run: async (weights, batch) => runStep(await session(batch), weights, batch),
    close: async () => {
      for (const open of sessions.values()) await (await open).release()
      sessions.clear()
    },
  }
}

async function runStep(session: InferenceSession, weights: Tensors, batch: Batch): Promise<LossAndGradients> {
  const { rows, length, ids } = batch
  const inputs = new BigInt64Array(rows * length)
  const targets = new BigInt64Array(rows * length)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < length; i++) {
      inputs[r * length + i] = BigInt(ids[r * (length + 1) + i])
      targets[r * length + i] = BigInt(ids[r * (length + 1) + i + 1])
    }
  }
  const feeds: Record<string, OrtTensor> = {
    ids: new OrtTensor('int64', inputs, [rows * length]),
    targets: new OrtTensor('int64', targets, [rows * length, 1]),
  }
  for (const [name, { shape, data }] of weights) feeds[name] = new OrtTensor('float32', data, shape)
  const results = await session.run(feeds)
  const values = (name: string) => results[name].data as Float32Array
  const gradients = new Map<string, Float32Array>()
  for (const name of weights.keys()) gradients.set(name, values(`d ${name}`))
  const embedding = gradients.get('model.embed_tokens.weight')!
  scatterRows(embedding, values('d embedded'), inputs)
  return { loss: values('loss')[0], gradients }
}

/** table[ids[i]] += rows[i]; done here because duplicates make ONNX's scatter unreliable. */
function scatterRows(table: Float32Array, rows: Float32Array, ids: BigInt64Array): void {
  const width = rows.length / ids.length
  for (let i = 0; i < ids.length; i++) {
    const at = Number(ids[i]) * width
    for (let j = 0; j < width; j++) table[at + j] += rows[i * width + j]
  }
}

/** The whole training step as an ONNX model. Only tied embeddings are supported. */
function buildStep(config: ModelConfig, rows: number, length: number): Uint8Array {
  if (!config.tied) throw new Error('Training supports tied embeddings only.')
  const t = new Tape()
  const model = new DecoderGraph(t, config, [rows, length], () => summed(t))
  const targets = t.input('targets', [rows * length, 1], 'int64')
  const loss = crossEntropy(t, model.hidden(), model.weight('model.embed_tokens'), targets)
  t.backward()
  t.output('loss', loss)
  t.output('d embedded', t.gradient(model.embedded))
  for (const [name, value] of model.weights) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}
