/** Veiling a checkpoint of a large model's shapes: throughput against that of a copy, and memory. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeHeader } from '../src/model/files/safetensors.ts'
import type { Group } from '../src/protections/veiled/ends.ts'
import { veilModel } from '../tools/veil/veil.ts'
import type { Result } from './result.ts'

/** Widths of LLaMA 3's models; all layers are alike, so a few stand for the others. */
const shapes = {
  '8b': { dim: 4096, ff: 14336, heads: 32, kvHeads: 8, vocab: 128256 },
  '70b': { dim: 8192, ff: 28672, heads: 64, kvHeads: 8, vocab: 128256 },
}

export type VeilShape = keyof typeof shapes
export const veilShapes = Object.keys(shapes) as VeilShape[]

/** Bytes written, or copied, at a time. */
const CHUNK = 8 << 20

/** One case for each group, with layers of random BF16. */
export async function* veilCases(shape: VeilShape, layers: number): AsyncGenerator<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-bench-veil-'))
  try {
    const from = join(dir, 'model')
    const bytes = writeModel(from, shape, layers)
    const copy = copied(join(from, 'model.safetensors'), join(dir, 'copy'))
    for (const group of ['bits', 'full'] satisfies Group[]) {
      const out = join(dir, group)
      const { seconds, cpuSeconds } = await veilModel({
        ...{ from, out, keys: join(dir, 'keys'), group, tenant: 'bench' },
      })
      rmSync(out, { recursive: true })
      yield {
        case: `veil ${shape}, ${layers} layers, group ${group}`,
        checkpointBytes: bytes,
        wallSeconds: seconds,
        processorSeconds: cpuSeconds,
        megabytesPerProcessorSecond: bytes / 1e6 / cpuSeconds,
        copyProcessorSeconds: copy,
        megabytesPerProcessorSecondOverCopy: bytes / 1e6 / (cpuSeconds - copy),
        peakBytes: process.resourceUsage().maxRSS * 1024,
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function writeModel(dir: string, shape: VeilShape, layers: number): number {
  const { dim, ff, heads, kvHeads, vocab } = shapes[shape]
  mkdirSync(dir)
  const config = {
    ...{ model_type: 'llama', hidden_size: dim, num_attention_heads: heads, num_key_value_heads: kvHeads },
    ...{ intermediate_size: ff, num_hidden_layers: layers, vocab_size: vocab, rms_norm_eps: 1e-5 },
    ...{ max_position_embeddings: 8192, rope_theta: 5e5, hidden_act: 'silu', tie_word_embeddings: false },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const tensors: Record<string, number[]> = {
    'model.embed_tokens.weight': [vocab, dim],
    'model.norm.weight': [dim],
    'lm_head.weight': [vocab, dim],
  }
  for (let layer = 0; layer < layers; layer++)
    for (const [name, size] of Object.entries({
      ...{ input_layernorm: [dim], post_attention_layernorm: [dim] },
      ...{ 'self_attn.q_proj': [dim, dim], 'self_attn.o_proj': [dim, dim] },
      'self_attn.k_proj': [(kvHeads * dim) / heads, dim],
      'self_attn.v_proj': [(kvHeads * dim) / heads, dim],
      ...{ 'mlp.gate_proj': [ff, dim], 'mlp.up_proj': [ff, dim], 'mlp.down_proj': [dim, ff] },
    }))
      tensors[`model.layers.${layer}.${name}.weight`] = size
  const listed = Object.entries(tensors).map(([name, size]) => ({ name, shape: size, dtype: 'BF16' }))
  const header = encodeHeader(listed)
  const bytes = listed.reduce((sum, { shape: size }) => sum + 2 * size.reduce((a, b) => a * b, 1), 0)
  const file = openSync(join(dir, 'model.safetensors'), 'w')
  try {
    writeSync(file, header)
    // Of a trained model's scale: signs and exponents from 2^-10 to 2^-3.
    const words = new Uint16Array(CHUNK / 2).map(() => {
      const random = Math.floor(Math.random() * 65536)
      return (random & 0x807f) | ((117 + ((random >> 7) & 7)) << 7)
    })
    const block = new Uint8Array(words.buffer)
    for (let left = bytes; left > 0; left -= CHUNK) writeSync(file, block, 0, Math.min(CHUNK, left))
    ftruncateSync(file, header.length + bytes)
  } finally {
    closeSync(file)
  }
  return bytes
}

/** Processor seconds of reading and writing the same bytes. */
function copied(from: string, to: string): number {
  const [source, target] = [openSync(from, 'r'), openSync(to, 'w')]
  const buffer = new Uint8Array(CHUNK)
  const before = process.cpuUsage()
  try {
    for (;;) {
      const got = readSync(source, buffer)
      if (got === 0) break
      writeSync(target, buffer, 0, got)
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  } finally {
    closeSync(source)
    closeSync(target)
    rmSync(to)
  }
}
