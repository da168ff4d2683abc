/** One stage of a training: a graph, batches, and a checkpoint from which it goes on. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { openSession } from '../onnx/session.ts'
import { type Feeds, weightFeeds } from '../pretrain/feeds.ts'
import { AdamW, type AdamWOptions, learningRate } from '../train/adamw.ts'
import { loadCheckpoint, saveCheckpoint, type TrainState } from '../train/checkpoint.ts'

/** How long a training is: minutes of processor time, or steps. At its end the learning rate has come down. */
export type Length = { readonly minutes: number } | { readonly steps: number }

export interface Stage {
  readonly name: string
  /** A training graph, whose outputs are losses and `d NAME` for each weight. */
  readonly graph: Uint8Array
  /** What it begins with, where there is no checkpoint. */
  readonly weights: Tensors
  /** Where it is kept every two minutes. */
  readonly checkpoint: string
  readonly length: Length
  readonly peakLearningRate: number
  /** Factor of the learning rate for a weight; 1 for all where there is none. */
  readonly rate?: (name: string) => number
  readonly seed: number
  readonly threads: number
  /** What a step is fed; follows from its number. */
  batch(step: number): Feeds
  /** What the report says of a step. */
  losses(results: InferenceSession.ReturnType, feeds: Feeds): Record<string, number>
  /** Gradients of all weights, where they are not all outputs. */
  gradients?(results: InferenceSession.ReturnType, feeds: Feeds): Map<string, Float32Array>
  readonly onProgress?: (progress: StageProgress) => void
}

export interface StageProgress {
  readonly stage: string
  readonly step: number
  /** Of processor time. */
  readonly minutes: number
  /** Means since the last report, in nats. */
  readonly losses: Readonly<Record<string, number>>
}

const usual: AdamWOptions = { beta1: 0.9, beta2: 0.98, eps: 1e-8, weightDecay: 0.05, clip: 1 }
const REPORT = 50
const SAVE_MS = 120_000

/** Runs a stage to its end, from where its checkpoint is, if there is one; resolves with the weights. */
export async function runStage(s: Stage): Promise<Tensors> {
  mkdirSync(dirname(s.checkpoint), { recursive: true })
  const { state, adam } = begun(s)
  const session = await openSession(s.graph, s.threads)
  const { length } = s
  const progress = (): number =>
    'steps' in length ? state.step / length.steps : state.elapsed / (60 * length.minutes)
  let sums: Record<string, number> = {}
  let saved = Date.now()
  while (progress() < 1) {
    const before = process.cpuUsage()
    const feeds = s.batch(state.step)
    const results = await session.run({ ...feeds, ...weightFeeds(adam.weights) })
    const gradients = s.gradients?.(results, feeds) ?? gradientsOf(results, adam.weights.keys())
    adam.update(gradients, learningRate(progress(), s.peakLearningRate))
    for (const [name, loss] of Object.entries(s.losses(results, feeds)))
      sums[name] = (sums[name] ?? 0) + loss / REPORT
    const { user, system } = process.cpuUsage(before)
    state.step++
    state.elapsed += (user + system) / 1e6
    if (state.step % REPORT === 0) {
      s.onProgress?.({ stage: s.name, step: state.step, minutes: state.elapsed / 60, losses: sums })
      sums = {}
    }
    if (Date.now() - saved < SAVE_MS) continue
    saveCheckpoint(s.checkpoint, state, adam)
    saved = Date.now()
  }
  saveCheckpoint(s.checkpoint, state, adam)
  await session.release()
  return adam.weights
}

function begun(s: Stage): { state: TrainState<string>; adam: AdamW } {
  const optimizer = { ...usual, rate: s.rate }
  if (!existsSync(s.checkpoint)) {
    const state = { step: 0, elapsed: 0, seed: s.seed, config: s.name }
    return { state, adam: new AdamW(s.weights, optimizer) }
  }
  const { state, optimizer: adam } = loadCheckpoint<string>(s.checkpoint, optimizer)
  if (state.config !== s.name || state.seed !== s.seed)
    throw new Error(`${s.checkpoint} is of another training. Choose another --out folder.`)
  return { state, adam }
}

/** The outputs `d NAME` of a training graph, by name. */
export const gradientsOf = (
  results: InferenceSession.ReturnType,
  names: Iterable<string>,
): Map<string, Float32Array> =>
  new Map(Array.from(names, (name) => [name, results[`d ${name}`].data as Float32Array]))

/** Mean of what an output holds. */
export const meanOf = (values: InferenceSession.ReturnType[string]): number => {
  const data = values.data as Float32Array
  return data.reduce((a, b) => a + b, 0) / data.length
}
