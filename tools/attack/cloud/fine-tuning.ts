/**
 * A host that tunes what it was given on text of its own (STIP's fine-tuning attack): whether disguised weights are a better
 * beginning than none.
 */
import type { ModelConfig, Tensors } from '../../../src/model/architectures/config.ts'
import { type FloatModel, floatModel } from '../../../src/model/graph/decoder-model.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import { onnxEngine } from '../../onnx/engine.ts'
import { AdamW, learningRate } from '../../train/adamw.ts'
import type { Batch } from '../../train/gradient.ts'
import { initialWeights } from '../../train/train.ts'
import type { Extracted } from './extraction.ts'

const ROWS = 4
/** Tokens of a row. */
const LENGTH = 128
const PEAK = 1e-3

export interface FineTuningOptions {
  /** Texts of the host's own, as the model's tokens. */
  readonly own: readonly (readonly number[])[]
  /** The token that each number is taken for; -1 for none. */
  readonly guess: ArrayLike<number>
  readonly steps: number
  /** Runs the result over users' text. */
  judge(copy: FloatModel): Extracted
  readonly onProgress?: (step: number) => void
}

/** What comes of the veiled weights with their tables put in order by the guess, and of nothing, on as much text. */
export async function fineTuned(
  config: ModelConfig,
  veiled: Tensors,
  o: FineTuningOptions,
): Promise<Record<'tuned' | 'fromNothing', Extracted>> {
  const tune = async (weights: Tensors): Promise<Extracted> => {
    const tuned = await trained(config, weights, o)
    return o.judge(floatModel(config, tuned, undefined, 'float32'))
  }
  return {
    tuned: await tune(inOrder(veiled, o.guess)),
    fromNothing: await tune(initialWeights(config, 1)),
  }
}

/** Rows of both tables where tokens have them; one that no number is taken for gets the mean. */
function inOrder(veiled: Tensors, guess: ArrayLike<number>): Tensors {
  const tables = ['model.embed_tokens.weight', 'lm_head.weight']
  return new Map(
    [...veiled].map(([name, { shape, data }]) => {
      if (!tables.includes(name)) return [name, { shape, data: data.slice() }]
      const [rows, width] = shape
      const mean = Float32Array.from({ length: width }, (_, i) => {
        let sum = 0
        for (let row = 0; row < rows; row++) sum += data[row * width + i]
        return sum / rows
      })
      const out = new Float32Array(data.length)
      for (let row = 0; row < rows; row++) out.set(mean, row * width)
      for (let j = 0; j < rows; j++)
        if (guess[j] >= 0) out.set(data.subarray(j * width, (j + 1) * width), guess[j] * width)
      return [name, { shape, data: out }]
    }),
  )
}

async function trained(config: ModelConfig, weights: Tensors, o: FineTuningOptions): Promise<Tensors> {
  const length = Math.min(LENGTH, config.context - 1)
  const stream = Int32Array.from(o.own.flat())
  const engine = await onnxEngine(config)
  const optimizer = new AdamW(weights)
  const random = new PredictableRandom(5)
  try {
    for (let step = 0; step < o.steps; step++) {
      const { gradients } = await engine.run(weights, batchOf(stream, length, random))
      optimizer.update(gradients, learningRate(step / o.steps, PEAK))
      o.onProgress?.(step)
    }
  } finally {
    await engine.close()
  }
  return weights
}

/** Windows from anywhere; short texts come around again. */
function batchOf(stream: Int32Array, length: number, random: PredictableRandom): Batch {
  const ids = Int32Array.from({ length: ROWS * (length + 1) })
  for (let row = 0; row < ROWS; row++) {
    const start = random.below(stream.length)
    for (let i = 0; i <= length; i++) ids[row * (length + 1) + i] = stream[(start + i) % stream.length]
  }
  return { rows: ROWS, length, ids }
}
