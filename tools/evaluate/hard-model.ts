/**
 * Makes a model that is hard to compute in fixed point out of one that is easy: attention logits in the tens and outlier
 * channels, as large pre-trained models have them. The result is a Hugging Face folder, to be imported like any other:
 *
 *   npx tsx tools/evaluate/hard-model.ts --bundle models/sotto-demo --out hard --gain 3 --text FILE --minutes 2
 *   npx sotto model import hard --out hard-bundle --calibrate FILE
 *   npx tsx tools/evaluate/agreement.ts --bundle hard-bundle --data FILE --tokens 500
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { headDim, type ModelConfig, type Tensors } from '../../src/model/architectures/config.ts'
import { toHfConfig } from '../../src/model/architectures/hf-config.ts'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { encodeSafetensors } from '../../src/model/files/safetensors.ts'
import { graphOf } from '../../src/model/graph/graph-of.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { AdamW } from '../train/adamw.ts'
import { saveCheckpoint, type TrainState } from '../train/checkpoint.ts'
import { train } from '../train/train.ts'

export interface Hardness {
  /** Every query is multiplied by this: logits grow, so the model changes. */
  readonly gain: number
  /** Value and feed-forward channels of each layer that are scaled up 20 to 100 times; what reads them is scaled down. */
  readonly outliers: number
  /**
   * A constant that the embedding adds to one channel of the residual stream, which no gain reads: it dominates the
   * mean square, as a "massive activation" does, so the model changes.
   */
  readonly massive: number
  readonly seed?: number
}

/** A gated model's weights made hard; only `outliers` leave the function exactly as it was. The given tensors stay. */
export function hardened(config: ModelConfig, tensors: Tensors, h: Hardness): Tensors {
  const { isGated, layers, tables } = graphOf(config)
  if (!isGated || layers.some(({ query }) => query.part))
    throw new RangeError('Only gated models whose projections are matrices of their own are made hard here.')
  const random = new PredictableRandom(h.seed ?? 1)
  const out: Tensors = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
  )
  const get = (name: string) => out.get(name)!.data
  const scaleRow = (name: string, row: number, by: number): void => {
    const data = get(name)
    const width = out.get(name)!.shape[1]
    for (let i = 0; i < width; i++) data[row * width + i] *= by
  }
  const scaleColumn = (name: string, column: number, by: number): void => {
    const data = get(name)
    const width = out.get(name)!.shape[1]
    for (let at = column; at < data.length; at += width) data[at] *= by
  }
  const hd = headDim(config)
  const group = config.heads / config.kvHeads
  for (const { query, value, attentionOutput, up, down } of layers) {
    const q = get(query.weight)
    for (let i = 0; i < q.length; i++) q[i] *= h.gain
    for (let n = 0; n < h.outliers; n++) {
      const by = 20 * 5 ** random.uniform()
      const ff = random.below(config.ff)
      scaleRow(up!.weight, ff, by)
      scaleColumn(down.weight, ff, 1 / by)
      const v = random.below(config.kvHeads * hd)
      scaleRow(value.weight, v, by)
      const [kv, i] = [Math.floor(v / hd), v % hd]
      for (let g = 0; g < group; g++) scaleColumn(attentionOutput.weight, (kv * group + g) * hd + i, 1 / by)
    }
  }
  if (h.massive !== 0) {
    const channel = random.below(config.dim)
    const embedding = get(tables[0].tensor)
    for (let at = channel; at < embedding.length; at += config.dim) embedding[at] += h.massive
  }
  return out
}

const help = `hard-model: a Hugging Face folder of a model that is hard to compute in fixed point

  --bundle DIR   a bundle of LLaMA form, with its private tensors
  --out DIR      the folder to write; training files go to DIR.run
  --text FILE    dialogues to train on
  --gain G       queries are multiplied by this (3)
  --outliers N   value and feed-forward channels a layer that are scaled up, exactly undone behind (8)
  --massive A    constant added to one residual channel of every embedding (0)
  --minutes M    train on for so long (0)
  --lr N         peak learning rate (0.0005)
  --threads N    (1)
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bundle: { type: 'string' },
      out: { type: 'string' },
      text: { type: 'string' },
      gain: { type: 'string', default: '3' },
      outliers: { type: 'string', default: '8' },
      massive: { type: 'string', default: '0' },
      minutes: { type: 'string', default: '0' },
      lr: { type: 'string', default: '0.0005' },
      threads: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help || !values.bundle || !values.out || (Number(values.minutes) > 0 && !values.text)) {
    process.stdout.write(help)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const { out, text } = values
  const { manifest, tensors, tokenizer } = await loadBundle(values.bundle)
  const [gain, outliers, massive, minutes] = [
    values.gain,
    values.outliers,
    values.massive,
    values.minutes,
  ].map(Number)
  let weights = hardened(manifest.config, tensors, { gain, outliers, massive })
  if (minutes > 0) {
    const run = `${out}.run`
    const checkpoint = join(run, 'checkpoint.safetensors')
    mkdirSync(run, { recursive: true })
    if (!existsSync(checkpoint)) {
      writeFileSync(join(run, 'tokenizer.json'), JSON.stringify(tokenizer))
      const state: TrainState = { step: 0, elapsed: 0, seed: 7, config: manifest.config }
      saveCheckpoint(checkpoint, state, new AdamW(weights))
    }
    const engine = async (config: ModelConfig) =>
      (await import('../onnx/engine.ts')).onnxEngine(config, Number(values.threads))
    const trained = await train({
      data: text!,
      out: run,
      minutes,
      peakLearningRate: Number(values.lr),
      resume: true,
      engine,
      onProgress: (p) => {
        if (p.step % 20 === 1) process.stderr.write(`step ${p.step}  loss ${p.loss.toFixed(3)}\n`)
      },
    })
    weights = trained.weights
  }
  mkdirSync(out, { recursive: true })
  const put = (name: string, value: unknown) => writeFileSync(join(out, name), JSON.stringify(value))
  put('config.json', toHfConfig(manifest.config))
  put('tokenizer.json', tokenizer)
  put('tokenizer_config.json', {
    chat_template: manifest.chat?.template,
    bos_token: '<|bos|>',
    eos_token: '<|end|>',
  })
  writeFileSync(join(out, 'model.safetensors'), encodeSafetensors(weights, 'F32', { format: 'pt' }))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
