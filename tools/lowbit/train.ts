import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { canonicalJson } from '../../src/model/files/manifest.ts'
import { decodeSafetensors, encodeSafetensors } from '../../src/model/files/safetensors.ts'
import { AdamW, type AdamWOptions, learningRate } from '../train/adamw.ts'
import { loadCheckpoint, saveCheckpoint, type TrainState } from '../train/checkpoint.ts'
import type { Precision } from './precision.ts'
import { unrounded } from './scales.ts'
import { type Stage, stagePrecision } from './stages.ts'
import type { LowbitTask } from './task.ts'
import { integers, masterGradients } from './weights.ts'

export interface StageReport {
  readonly stage: string
  readonly epochs: number
  readonly loss: number
  readonly accuracy?: number
  readonly seconds: number
}

export interface LowbitProgress {
  readonly stage: string
  readonly step: number
  readonly steps: number
  readonly loss: number
  /** Seconds so far, and how many more all stages will take at this pace. */
  readonly seconds: number
  readonly secondsLeft: number
}

export interface LowbitTraining {
  readonly task: LowbitTask
  readonly config: ModelConfig
  /** What training begins with; changed in place. */
  readonly masters: Tensors
  readonly stages: readonly Stage[]
  /** Folder for the checkpoints. */
  readonly out: string
  readonly learningRate: number
  readonly seed: number
  readonly resume: boolean
  readonly checkpointSeconds?: number
  readonly onProgress?: (progress: LowbitProgress) => void
  readonly onStage?: (report: StageReport) => void
}

export interface LowbitResult {
  readonly masters: Tensors
  readonly precision: Precision
  readonly reports: readonly StageReport[]
}

interface State extends TrainState {
  stage: number
  precision: Precision
  reports: StageReport[]
}

const decay = 0.01
/** Learned steps move a tenth as fast as weights (Bhalgat et al., LSQ+, 2020). */
const stepRate = 0.1

const optimizerOptions: AdamWOptions = {
  beta1: 0.9,
  beta2: 0.98,
  eps: 1e-8,
  weightDecay: decay,
  clip: 1,
  rate: (name) => (name.startsWith('step.') ? stepRate : 1),
}

/** Trains stage after stage; goes on from the checkpoint where it is told to. Throws where one is there and it is not. */
export async function trainLowbit(o: LowbitTraining): Promise<LowbitResult> {
  mkdirSync(o.out, { recursive: true })
  const path = join(o.out, 'lowbit.safetensors')
  if (o.resume !== existsSync(path))
    throw new Error(
      o.resume
        ? `${path} does not exist: there is nothing to resume.`
        : `${path} exists already. Use --resume to go on with it, or another --out folder.`,
    )
  let { state, optimizer } = o.resume ? restored(path, o) : begun(o, o.masters)
  let lessons = -1
  while (state.stage < o.stages.length) {
    const stage = o.stages[state.stage]
    const wanted = Math.min(state.stage, 1)
    if (lessons !== wanted) {
      if (lessons < 0) await o.task.imitate('base')
      if (wanted === 1) await o.task.imitate(floatTeacher(o))
      lessons = wanted
    }
    const masters = optimizer.weights
    if (state.step === 0 && state.stage > 0) {
      const before = state.precision
      const measured = await o.task.measure(integers(o.config, masters, before), before, 1)
      state.precision = stagePrecision(stage, o.config, masters, measured, before)
    }
    await runStage(o, stage, state, optimizer, path)
    const ints = integers(o.config, masters, state.precision)
    const { loss, accuracy } = await o.task.evaluate(ints, state.precision, 1)
    const report = { stage: stage.name, epochs: stage.epochs, loss, accuracy, seconds: state.elapsed }
    o.onStage?.(report)
    if (state.stage === 0)
      writeFileSync(join(o.out, 'float.safetensors'), encodeSafetensors(masters, 'F32', {}))
    state = { ...state, stage: state.stage + 1, step: 0, reports: [...state.reports, report] }
    optimizer = new AdamW(masters, optimizerOptions)
    saveCheckpoint(path, state, optimizer)
  }
  return { masters: optimizer.weights, precision: state.precision, reports: state.reports }
}

function begun(o: LowbitTraining, masters: Tensors): { state: State; optimizer: AdamW } {
  const precision = unrounded(o.config, masters)
  const state: State = {
    step: 0,
    elapsed: 0,
    seed: o.seed,
    config: o.config,
    stage: 0,
    precision,
    reports: [],
  }
  return { state, optimizer: new AdamW(masters, optimizerOptions) }
}

function restored(path: string, o: LowbitTraining): { state: State; optimizer: AdamW } {
  const { state, optimizer } = loadCheckpoint(path, optimizerOptions)
  if (canonicalJson(state.config) !== canonicalJson(o.config))
    throw new Error(`${path} is of a model of another shape. Repeat the options that it began with.`)
  return { state: longer(state as State, o), optimizer }
}

/** A training that was done with is in its last stage again, if that is to be longer than it was. */
function longer(state: State, { stages, task }: LowbitTraining): State {
  const last = state.reports.at(-1)
  if (state.stage < stages.length || !last) return state
  const [done, steps] = [last, stages[stages.length - 1]].map((stage) => stepsOf(stage, task))
  if (last.stage !== stages[stages.length - 1].name || steps <= done) return state
  return { ...state, stage: state.stage - 1, step: done, reports: state.reports.slice(0, -1) }
}

function floatTeacher(o: LowbitTraining): { tensors: Tensors; precision: Precision } {
  const { tensors: masters } = decodeSafetensors(readFileSync(join(o.out, 'float.safetensors')))
  const precision = unrounded(o.config, masters)
  return { tensors: integers(o.config, masters, precision), precision }
}

const stepsOf = ({ epochs }: Pick<Stage, 'epochs'>, task: LowbitTask): number =>
  Math.max(1, Math.round(epochs * task.perEpoch))

async function runStage(
  o: LowbitTraining,
  stage: Stage,
  state: State,
  optimizer: AdamW,
  path: string,
): Promise<void> {
  const steps = stepsOf(stage, o.task)
  const all = o.stages.map((stage) => stepsOf(stage, o.task))
  const before = all.slice(0, state.stage).reduce((a, b) => a + b, 0)
  const total = all.reduce((a, b) => a + b, 0)
  let saved = Date.now()
  let shown = 0
  let loss = 0
  while (state.step < steps) {
    const began = performance.now()
    const ints = integers(o.config, optimizer.weights, state.precision)
    const result = await o.task.gradient(ints, state.precision, state)
    const gradients = masterGradients(o.config, optimizer.weights, ints, result.gradients, state.precision)
    optimizer.update(gradients, learningRate(state.step / steps, o.learningRate))
    state.step++
    state.elapsed += (performance.now() - began) / 1000
    loss = loss === 0 ? result.loss : 0.95 * loss + 0.05 * result.loss
    if (Date.now() - shown > 10_000 || state.step === steps) {
      shown = Date.now()
      const done = before + state.step
      o.onProgress?.({
        stage: stage.name,
        step: state.step,
        steps,
        loss,
        seconds: state.elapsed,
        secondsLeft: (state.elapsed / done) * (total - done),
      })
    }
    if (Date.now() - saved > 1000 * (o.checkpointSeconds ?? 120)) {
      saveCheckpoint(path, state, optimizer)
      saved = Date.now()
    }
  }
}
