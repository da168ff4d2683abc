import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { headDim, type ModelConfig, type Tensors, tensorShapes } from '../../model/config.ts'
import type { Batch, GradientEngine, LossAndGradients } from '../gradient.ts'
import * as layer from './layers.ts'
import { openSession } from './session.ts'
import { Tape, type Value } from './tape.ts'

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
function buildStep(c: ModelConfig, rows: number, length: number): Uint8Array {
  if (c.arch !== 'llama' || !c.tied) throw new Error('Training supports the LLaMA form with tied embeddings.')
  const t = new Tape()
  const n = rows * length
  const hd = headDim(c)
  const group = c.heads / c.kvHeads
  const weights = new Map<string, Value>()
  for (const [name, shape] of tensorShapes(c)) weights.set(name, t.input(name, shape))
  const weight = (name: string) => weights.get(`${name}.weight`)!
  const ids = t.input('ids', [n], 'int64')
  const targets = t.input('targets', [n, 1], 'int64')
  const [cos, sin] = rotaryTables(c, length).map((table) => t.constant(table, [length, hd]))
  const mask = t.constant(causalMask(group, length), [group * length, length])

  const embedded = t.op('Gather', [weight('model.embed_tokens'), ids], [n, c.dim], { axis: 0 })
  let x = embedded
  for (let i = 0; i < c.layers; i++) {
    const at = `model.layers.${i}.`
    const heads = (name: string, count: number) =>
      layer.splitHeads(t, layer.linear(t, n1, weight(`${at}self_attn.${name}`)), rows, length, count)
    const n1 = layer.rmsNorm(t, x, weight(`${at}input_layernorm`), c.eps)
    const q = layer.rotary(t, heads('q_proj', c.heads), cos, sin)
    const k = layer.rotary(t, heads('k_proj', c.kvHeads), cos, sin)
    const grouped = layer.reshape(t, q, [rows, c.kvHeads, group * length, hd])
    const mixed = layer.attention(t, grouped, k, heads('v_proj', c.kvHeads), mask, 1 / Math.sqrt(hd))
    const joined = layer.joinHeads(t, layer.reshape(t, mixed, q.shape))
    x = layer.add(t, x, layer.linear(t, joined, weight(`${at}self_attn.o_proj`)))
    const n2 = layer.rmsNorm(t, x, weight(`${at}post_attention_layernorm`), c.eps)
    const gate = layer.linear(t, n2, weight(`${at}mlp.gate_proj`))
    const h = layer.swiGlu(t, gate, layer.linear(t, n2, weight(`${at}mlp.up_proj`)))
    x = layer.add(t, x, layer.linear(t, h, weight(`${at}mlp.down_proj`)))
  }
  const nf = layer.rmsNorm(t, x, weight('model.norm'), c.eps)
  const loss = layer.crossEntropy(t, nf, weight('model.embed_tokens'), targets)
  t.backward()
  t.output('loss', loss)
  t.output('d embedded', t.gradient(embedded))
  for (const [name, value] of weights) t.output(`d ${name}`, t.gradient(value))
  return t.model()
}

/** cos and sin, `[length, headDim]`, of angle position / theta^(2i / headDim); both halves alike. */
function rotaryTables(c: ModelConfig, length: number): Float32Array[] {
  const hd = headDim(c)
  const angle = Float64Array.from({ length: length * hd }, (_, at) => {
    const i = (at % hd) % (hd / 2)
    return Math.floor(at / hd) / (c.ropeTheta ?? 10000) ** ((2 * i) / hd)
  })
  return [Float32Array.from(angle, Math.cos), Float32Array.from(angle, Math.sin)]
}

/** 0 where a query may look, very negative where it may not; one copy per query head of a group. */
function causalMask(group: number, length: number): Float32Array {
  return Float32Array.from({ length: group * length * length }, (_, at) => {
    const query = Math.floor(at / length) % length
    return at % length <= query ? 0 : -1e9
  })
}
