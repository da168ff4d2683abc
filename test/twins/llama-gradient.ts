import { headDim, type ModelConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { rotaryFrequencies } from '../../src/model/rope.ts'
import type { Batch, GradientEngine, LossAndGradients } from '../../tools/train/gradient.ts'

// jax-js looks for WebGPU on `navigator`, which Node 20 does not define.
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: {} })
const jax = await import('@jax-js/jax')
const { numpy: np, nn } = jax
type Array = InstanceType<typeof jax.Array>
type Params = Record<string, Array>

/** Every gradient of LLaMA by jax-js's autodiff: from the definition of the model alone, rules of derivatives included. */
export async function jaxGradients(config: ModelConfig): Promise<GradientEngine> {
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  const step = jax.jit(
    jax.valueAndGrad((params: Params, ids: Array, targets: Array) => loss(config, params, ids, targets)),
  )
  return {
    name: 'jax-js',
    run: (weights, batch) => runStep(step, weights, batch),
    close: async () => step.dispose(),
  }
}

async function runStep(
  step: (params: Params, ids: Array, targets: Array) => [Array, Params],
  weights: Tensors,
  { rows, length, ids }: Batch,
): Promise<LossAndGradients> {
  const params: Params = {}
  for (const [name, { shape, data }] of weights)
    params[name] = np.array(data as Float32Array<ArrayBuffer>, { shape })
  const inputs = new Int32Array(rows * length)
  const targets = new Int32Array(rows * length)
  for (let r = 0; r < rows; r++) {
    const row = ids.subarray(r * (length + 1), (r + 1) * (length + 1))
    inputs.set(row.subarray(0, length), r * length)
    targets.set(row.subarray(1), r * length)
  }
  const shape = [rows, length]
  const [value, gradient] = step(params, np.array(inputs, { shape }), np.array(targets, { shape }))
  const [lossValue] = await value.data()
  const gradients = new Map<string, Float32Array>()
  for (const [name, g] of Object.entries(gradient)) gradients.set(name, (await g.data()) as Float32Array)
  return { loss: lossValue, gradients }
}

/** jax-js arrays are consumed by use: `.ref` keeps one alive for another use. */
function loss(c: ModelConfig, p: Params, ids: Array, targets: Array): Array {
  const [rows, length] = ids.shape
  const n = rows * length
  const hd = headDim(c)
  const group = c.heads / c.kvHeads
  const [cos, sin] = rotaryTables(c, length)
  const linear = (x: Array, name: string) => np.matmul(x, p[`${name}.weight`].ref.transpose())
  const rmsNorm = (x: Array, gain: Array) => {
    const meanSquare = np.mean(x.ref.mul(x.ref), -1, { keepdims: true })
    return x.mul(np.reciprocal(np.sqrt(meanSquare.add(c.eps)))).mul(gain.ref)
  }
  const heads = (x: Array, count: number) => x.reshape([rows, length, count, hd]).transpose([0, 2, 1, 3])
  const rope = (x: Array) => {
    const [a, b] = np.split(x.ref, 2, -1)
    const rotated = np.concatenate([b.neg(), a], -1)
    return x.mul(cos.ref).add(rotated.mul(sin.ref))
  }
  const mask = np.tri(length).reshape([1, 1, 1, length, length]).sub(1).mul(1e9)

  let x = np.take(p['model.embed_tokens.weight'].ref, ids.reshape([n]), 0)
  for (let i = 0; i < c.layers; i++) {
    const at = `model.layers.${i}.`
    const n1 = rmsNorm(x.ref, p[`${at}input_layernorm.weight`])
    const q = rope(heads(linear(n1.ref, `${at}self_attn.q_proj`), c.heads))
    const k = rope(heads(linear(n1.ref, `${at}self_attn.k_proj`), c.kvHeads))
    const v = heads(linear(n1, `${at}self_attn.v_proj`), c.kvHeads)
    const grouped = q.mul(1 / Math.sqrt(hd)).reshape([rows, c.kvHeads, group, length, hd])
    const scores = np.matmul(grouped, k.reshape([rows, c.kvHeads, 1, length, hd]).transpose([0, 1, 2, 4, 3]))
    const weights = nn.softmax(scores.add(mask.ref), -1)
    const mixed = np
      .matmul(weights, v.reshape([rows, c.kvHeads, 1, length, hd]))
      .reshape([rows, c.heads, length, hd])
      .transpose([0, 2, 1, 3])
      .reshape([n, c.dim])
    x = x.add(linear(mixed, `${at}self_attn.o_proj`))
    const n2 = rmsNorm(x.ref, p[`${at}post_attention_layernorm.weight`])
    const gate = nn.silu(linear(n2.ref, `${at}mlp.gate_proj`))
    const h = gate.mul(linear(n2, `${at}mlp.up_proj`))
    x = x.add(linear(h, `${at}mlp.down_proj`))
  }
  mask.dispose()
  cos.dispose()
  sin.dispose()
  const logits = linear(rmsNorm(x, p['model.norm.weight']), c.tied ? 'model.embed_tokens' : 'lm_head')
  const hot = nn.oneHot(targets.reshape([n]), c.vocab)
  const gold = np.sum(logits.ref.mul(hot), -1)
  const total = nn.logsumexp(logits, -1)
  return np.mean(total.sub(gold))
}

/** cos and sin, `[length, headDim]`, of the rotary angles; both halves alike. */
function rotaryTables(c: ModelConfig, length: number): [Array, Array] {
  const hd = headDim(c)
  const frequencies = rotaryFrequencies(c)
  const angle = Float32Array.from({ length: length * hd }, (_, at) => {
    const i = (at % hd) % (hd / 2)
    return Math.floor(at / hd) * frequencies[i]
  })
  const shape = [length, hd]
  return [np.array(angle.map(Math.cos), { shape }), np.array(angle.map(Math.sin), { shape })]
}
