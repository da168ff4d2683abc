import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { calibrateBundle } from '../../../tools/calibrate/calibrate.ts'
import { curveSvg } from '../../../tools/train/curve-svg.ts'
import { type About, exportBundle } from '../../../tools/train/export.ts'
import { readCurve } from '../../../tools/train/loss-curve.ts'
import { type TrainOptions, type TrainProgress, train } from '../../../tools/train/train.ts'
import { modelHash } from '../../model/files/manifest.ts'

const help = `sotto train: train a small chat model from scratch on this computer's processor

  sotto train --data dialogues.jsonl.gz --out run --minutes 60

  --data FILE      dialogues, one {"turns": [{"role", "text"}]} per line, .gz or plain
  --dev FILE       held-out dialogues to measure on while training
  --out DIR        checkpoint, tokenizer, loss.csv and loss.svg go here, and the model to DIR/bundle
  --minutes N      train so long, or
  --steps N        so many steps; the learning rate ends its cosine there
  --resume         go on from the checkpoint in --out
  --lr N           peak learning rate (0.0015)
  --seed N         of initial weights and batches (1)
  --threads N      processor threads (2)
  --name, --description, --license, --source TEXT
                   what the model's manifest says about it and its training data
  --json           one JSON object per line instead of text
`

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

/** `sotto train`; throws an Error with a message for the user when the arguments are wrong. */
export async function trainCommand(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      data: { type: 'string' },
      dev: { type: 'string' },
      out: { type: 'string' },
      minutes: { type: 'string' },
      steps: { type: 'string' },
      resume: { type: 'boolean' },
      lr: { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string' },
      name: { type: 'string' },
      description: { type: 'string' },
      license: { type: 'string' },
      source: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  const { data, out } = values
  if (!data || !out) throw new Error('sotto train needs --data and --out; see sotto train --help.')
  const print = (value: object, text: string) =>
    process.stdout.write(`${values.json ? JSON.stringify(value) : text}\n`)
  const summary = await runTrain({
    data,
    out,
    about: values,
    dev: values.dev,
    resume: values.resume,
    minutes: positive('--minutes', values.minutes),
    steps: positive('--steps', values.steps),
    peakLearningRate: positive('--lr', values.lr),
    seed: positive('--seed', values.seed),
    threads: positive('--threads', values.threads),
    onProgress: (p) => {
      if (p.step === 1 || p.step % 20 === 0 || p.devLoss !== undefined) print(p, progressLine(p))
    },
  })
  print(summary, `Model ${summary.hash.slice(0, 12)} written to ${summary.bundle}`)
}

function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${flag} must be a positive number, not "${text}".`)
  return value
}

function progressLine(p: TrainProgress): string {
  const dev = p.devLoss === undefined ? '' : `  held-out ${p.devLoss.toFixed(3)}`
  const minutes = (p.elapsed / 60).toFixed(1)
  return `step ${p.step}  loss ${p.loss.toFixed(3)}  ${Math.round(p.tokensPerSecond)} tokens/s  ${minutes} min${dev}`
}
