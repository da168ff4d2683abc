import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { calibrateBundle } from '../../../tools/calibrate/calibrate.ts'
import { curveSvg } from '../../../tools/train/curve-svg.ts'
import { type About, exportBundle } from '../../../tools/train/export.ts'
import { readCurve } from '../../../tools/train/loss-curve.ts'
import { type TrainOptions, type TrainProgress, train } from '../../../tools/train/train.ts'
import { modelHash } from '../../model/files/manifest.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult } from '../terminal.ts'
import { real, whole } from '../values.ts'

const declared = command('train', "Train a small chat model from scratch on this computer's processor.")
  .requiredOption('--data <file>', 'dialogues, one {"turns": [{"role", "text"}]} per line, .gz or plain')
  .option('--dev <file>', 'held-out dialogues to measure on while training')
  .requiredOption(
    '--out <dir>',
    'checkpoint, tokenizer, loss.csv and loss.svg go here, and the model to DIR/bundle',
  )
  .option('--minutes <n>', 'train so long, or', real(0.01))
  .option('--steps <n>', 'so many steps; the learning rate ends its cosine there', whole(1))
  .option('--resume', 'go on from the checkpoint in --out', false)
  .option('--lr <n>', 'peak learning rate', real(1e-9, 1), 0.0015)
  .option('--seed <n>', 'of initial weights and batches', whole(1), 1)
  .option('--threads <n>', 'processor threads', whole(1), 2)
  .option('--json', 'one JSON object per line instead of text', false)
  .optionsGroup('What the bundle says about itself:')
  .option('--name <text>', "its name; the folder's if not given")
  .option('--description <text>', 'what the model is')
  .option('--license <text>', 'of the weights, which is that of the training data')
  .option('--source <text>', 'where the training data comes from')

export interface RunTrainOptions extends Omit<TrainOptions, 'engine'> {
  threads?: number
  /** Where the finished model goes; `out/bundle` if not given. */
  bundle?: string
  about?: Partial<About>
}

export interface TrainSummary {
  bundle: string
  hash: string
  steps: number
  seconds: number
}

/** Train, then write the loss curve's picture and the model bundle. */
export async function runTrain(options: RunTrainOptions): Promise<TrainSummary> {
  const { threads = 2, bundle = join(options.out, 'bundle'), about, ...rest } = options
  const { state, weights } = await train({
    ...rest,
    // Loaded only when used: it brings a large runtime.
    engine: async (config) => (await import('../../../tools/onnx/engine.ts')).onnxEngine(config, threads),
  })
  writeFileSync(join(options.out, 'loss.svg'), curveSvg(readCurve(join(options.out, 'loss.csv'))))
  await exportBundle(bundle, options.out, state.config, weights, {
    name: about?.name ?? basename(options.out),
    description: about?.description ?? 'A chat model trained from scratch.',
    license: about?.license ?? 'unknown',
    source: about?.source ?? basename(options.data),
  })
  // Private inference chooses its rings by what the activations span.
  const manifest = await calibrateBundle({ bundle, data: options.data })
  return { bundle, hash: await modelHash(manifest), steps: state.step, seconds: state.elapsed }
}

export const trainCommand = declared.action(trainModel)

async function trainModel(values: ValuesOf<typeof declared>): Promise<void> {
  const print = (value: object, text: string) => printResult(values.json, value, `${text}\n`)
  const { lr: peakLearningRate, json: _, ...rest } = values
  const summary = await runTrain({
    ...rest,
    peakLearningRate,
    about: values,
    onProgress: (p) => {
      if (p.step === 1 || p.step % 20 === 0 || p.devLoss !== undefined) print(p, progressLine(p))
    },
  })
  print(summary, `Model ${summary.hash.slice(0, 12)} written to ${summary.bundle}`)
}

function progressLine(p: TrainProgress): string {
  const dev = p.devLoss === undefined ? '' : `  held-out ${p.devLoss.toFixed(3)}`
  const minutes = (p.elapsed / 60).toFixed(1)
  return `step ${p.step}  loss ${p.loss.toFixed(3)}  ${Math.round(p.tokensPerSecond)} tokens/s  ${minutes} min${dev}`
}
