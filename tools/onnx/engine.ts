import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { weightFeeds } from '../pretrain/feeds.ts'
import type { Batch, GradientEngine, LossAndGradients } from '../train/gradient.ts'
import { crossEntropy } from './loss.ts'
import { ModelTape } from './model-tape.ts'
import { summed } from './parameters.ts'
import { scatterEmbeddings } from './scatter.ts'
import { openSession } from './session.ts'
import { Tape } from './tape.ts'

/**
 * Loss and gradient of a model that continues texts, as one ONNX graph; one is built and compiled for each batch shape that
 * occurs.
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
    run: async (weights, batch) => runStep(config, await session(batch), weights, batch),
    close: async () => {
      for (const open of sessions.values()) await (await open).release()
      sessions.clear()
    },
  }
}

async function runStep(
  config: ModelConfig,
  session: InferenceSession,
  weights: Tensors,
  batch: Batch,
): Promise<LossAndGradients> {
  const { rows, length, ids } = batch
  const inputs = new BigInt64Array(rows * length)
  const targets = new BigInt64Array(rows * length)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < length; i++) {
      inputs[r * length + i] = BigInt(ids[r * (length + 1) + i])
      targets[r * length + i] = BigInt(ids[r * (length + 1) + i + 1])
    }
  }
  const feeds = {
    ids: new OrtTensor('int64', inputs, [rows * length]),
    targets: new OrtTensor('int64', targets, [rows * length, 1]),
  }
  const results = await session.run({ ...feeds, ...weightFeeds(weights) })
  const values = (name: string) => results[name].data as Float32Array
  const gradients = new Map<string, Float32Array>()
  for (const [name, { data }] of weights)
    gradients.set(name, results[`d ${name}`] ? values(`d ${name}`) : new Float32Array(data.length))
  scatterEmbeddings(config, gradients, values('d embedded'), feeds, length)
  return { loss: values('loss')[0], gradients }
}

/** The whole training step as an ONNX model. */
function buildStep(config: ModelConfig, rows: number, length: number): Uint8Array {
  const t = new Tape()
  const model = new ModelTape(t, config, [rows, length], () => summed(t))
  const { head, tables } = model.graph
  if (head.kind !== 'tokens' || head.transform)
    throw new Error('Training needs a model that continues texts.')
  const { weight: output } = head.output
  const targets = t.input('targets', [rows * length, 1], 'int64')
  const loss = crossEntropy(t, model.hidden(), model.weight(output), targets)
  t.backward()
  t.output('loss', loss)
  t.output('d embedded', t.gradient(model.embedded))
  const scattered = new Set(tables.map(({ tensor }) => tensor).filter((tensor) => tensor !== output))
  for (const [name, value] of model.weights)
    if (!scattered.has(name)) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}
