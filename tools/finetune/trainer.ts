import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PredictableRandom } from '../../src/model/random.ts'
import { DpAdamW } from '../privacy/dp-adam.ts'
import type { RandomSource } from '../privacy/noise.ts'
import type { Optimizer } from '../privacy/optimizer.ts'
import { learningRate } from '../train/adamw.ts'
import { WeightAverage } from './average.ts'
import { type EpochReport, loadRun, type RunState, saveRun } from './checkpoint.ts'
import { type PrivatePlan, PrivateSteps, privateOptimizer } from './private-step.ts'
import type { Task } from './task.ts'

export interface TrainerOptions {
  task: Task
  /** Folder for the checkpoint. */
  out: string
  /** Hash of all that must not change between the parts of a run. */
  run: string
  epochs: number
  /** Examples for each step; of a private run, on average. */
  batch: number
  learningRate: number
  weightDecay: number
  /** Seeds the order of examples and dropout; a private run draws both from privacy's own source. */
  seed: number
  /** How many epochs the averaged weights reach back; 0 takes the last step's. */
  averageEpochs: number
  /** Without one, training is not private. */
  privacy?: PrivatePlan
  resume?: boolean
  /** For tests only; the product draws from the platform's cryptographic source. */
  source?: RandomSource
  /** Stops after so many steps of this call, as an interruption would. */
  maxSteps?: number
  checkpointSeconds?: number
  onEpoch?: (report: EpochReport) => void
}

export interface TrainerResult {
  state: RunState
  /** Averaged values of the trained tensors. */
  values: Map<string, Float32Array>
  /** Whether all epochs are done. */
  finished: boolean
}

/** Gradients of ordinary training are scaled down to this norm. */
const gradientClip = 1

/** Fine-tunes, privately or not, and reports once an epoch; resumes exactly from its checkpoint. */
export async function fineTune(o: TrainerOptions): Promise<TrainerResult> {
  mkdirSync(o.out, { recursive: true })
  const { task } = o
  const { trained } = task
  const path = join(o.out, 'finetune.safetensors')
  if (!o.resume && existsSync(path))
    throw new Error(`${path} exists already. Use --resume to go on with it, or another --out folder.`)
  // A private run's is no more precise than its plan: the true number of examples shapes nothing.
  const perEpoch = Math.max(1, Math.round((o.privacy?.plannedExamples ?? task.examples) / o.batch))
  const steps = o.privacy?.steps ?? perEpoch * o.epochs
  const average = new WeightAverage(trained, o.averageEpochs * perEpoch)
  const vectors = new Map([...trained].map(([name, { data }]) => [name, data]))
  const flat = [...trained].filter(([, { shape }]) => shape.length === 1).map(([name]) => name)
  const decay = { weightDecay: o.weightDecay, undecayed: new Set(flat) }
  const optimizer = o.privacy ? privateOptimizer(o.privacy, vectors, decay) : new DpAdamW(vectors, decay)
  let state: RunState = { run: o.run, step: 0, seconds: 0, sinceReport: nothing(), reports: [] }
  if (o.resume) {
    const saved = loadRun(path, o.run, trained, average)
    optimizer.restore(saved.optimizer)
    state = saved.state
  }
  const private_ = o.privacy && new PrivateSteps(o.privacy, state.step, o.source)
  const save = () => saveRun(path, state, trained, optimizer.state(), average)
  let saved = Date.now()
  // Lost steps are spent all the same: a run that was interrupted takes as many fewer.
  const lost = private_ ? private_.spent - state.step : 0
  const last = Math.min(steps - lost, state.step + (o.maxSteps ?? Number.POSITIVE_INFINITY))
  while (state.step < last) {
    const began = performance.now()
    await step(o, state, optimizer, private_, learningRate(state.step / steps, o.learningRate))
    average.add(trained)
    state.seconds += (performance.now() - began) / 1000
    if (state.step % perEpoch === 0 || state.step === steps - lost) {
      const report = await reportOf(o, state, average, private_, perEpoch)
      state.reports.push(report)
      state.sinceReport = nothing()
      o.onEpoch?.(report)
    }
    // A step that is lost costs privacy, so a private run keeps each one; its tensors are small.
    if (private_ || Date.now() - saved > 1000 * (o.checkpointSeconds ?? 120)) {
      save()
      saved = Date.now()
    }
  }
  save()
  private_?.close()
  return { state, values: average.values(trained), finished: state.step >= steps - lost }
}

const nothing = () => ({ loss: 0, examples: 0, clipped: 0 })

async function step(
  o: TrainerOptions,
  state: RunState,
  optimizer: Optimizer,
  private_: PrivateSteps | undefined,
  rate: number,
): Promise<void> {
  const random = new PredictableRandom(private_?.dropoutSeed() ?? o.seed * 1_000_003 + state.step)
  const examples = private_?.sample() ?? shuffledBatch(o, state.step)
  const { sums, loss, clipped } = await o.task.gradient(examples, { clip: o.privacy?.clip, random })
  if (private_) private_.release(sums)
  else averageAndClip(sums, examples.length)
  optimizer.update(sums, rate)
  state.step++
  state.sinceReport.loss += loss
  state.sinceReport.examples += examples.length
  state.sinceReport.clipped += clipped
}

async function reportOf(
  o: TrainerOptions,
  state: RunState,
  average: WeightAverage,
  private_: PrivateSteps | undefined,
  perEpoch: number,
): Promise<EpochReport> {
  const { loss, accuracy } = await o.task.evaluate(average.values(o.task.trained))
  const { loss: sum, examples, clipped } = state.sinceReport
  return {
    epoch: state.step / perEpoch,
    step: state.step,
    seconds: state.seconds,
    trainLoss: sum / Math.max(1, examples),
    devLoss: loss,
    devAccuracy: accuracy,
    ...(private_ && { epsilon: private_.epsilon(), clipped: clipped / Math.max(1, examples) }),
  }
}

/** A batch of an epoch's shuffled order; the same seed and step give the same batch. */
function shuffledBatch({ task, batch, seed }: TrainerOptions, step: number): number[] {
  const perEpoch = Math.max(1, Math.round(task.examples / batch))
  const random = new PredictableRandom(seed * 7_368_787 + Math.floor(step / perEpoch))
  const order = Array.from({ length: task.examples }, (_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  const at = step % perEpoch
  const [from, to] = [at, at + 1].map((part) => Math.round((part * task.examples) / perEpoch))
  return order.slice(from, to)
}

/** Sums to a mean, of at most the norm that ordinary training allows. */
function averageAndClip(sums: Map<string, Float32Array>, count: number): void {
  let square = 0
  for (const values of sums.values()) for (const value of values) square += value * value
  const norm = Math.sqrt(square) / count
  if (!Number.isFinite(norm)) throw new Error(`Gradient norm is ${norm}: training diverged. Lower --lr.`)
  const scale = Math.min(1, gradientClip / norm) / count
  for (const values of sums.values()) for (let i = 0; i < values.length; i++) values[i] *= scale
}
