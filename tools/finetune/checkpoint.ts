import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Tensors } from '../../src/model/architectures/config.ts'
import { decodeSafetensors, encodeSafetensors } from '../../src/model/files/safetensors.ts'
import type { OptimizerState } from '../privacy/optimizer.ts'
import type { WeightAverage } from './average.ts'

/** One line of a run's report, at the end of an epoch. */
export interface EpochReport {
  epoch: number
  step: number
  seconds: number
  /** Mean training loss of the epoch, in nats for each example. A private run's is for its developer alone. */
  trainLoss: number
  devLoss: number
  devAccuracy?: number
  /** Epsilon spent so far; private runs only. */
  epsilon?: number
  /** Share of the examples whose gradients were clipped; private runs only. */
  clipped?: number
}

/** Everything besides the tensors that the next step depends on. */
export interface RunState {
  /** Hash of all that must not change between the parts of a run. */
  run: string
  step: number
  seconds: number
  /** Sums since the last report. */
  sinceReport: { loss: number; examples: number; clipped: number }
  reports: EpochReport[]
}

/** Trained tensors, optimizer and average in full precision, so that resuming changes nothing. */
export function saveRun(
  path: string,
  state: RunState,
  trained: Tensors,
  optimizer: OptimizerState,
  average: WeightAverage,
): void {
  const all: Tensors = new Map()
  const put = (kind: string, name: string, data: Float32Array) =>
    all.set(`${kind}/${name}`, { shape: [data.length], data })
  for (const [name, { data }] of trained) put('weight', name, data)
  for (const [name, data] of optimizer.tensors) put('optimizer', name, data)
  for (const [name, data] of average.sums) put('average', name, data)
  const metadata = {
    state: JSON.stringify(state),
    updates: String(optimizer.steps),
    averaged: String(average.updates),
  }
  // Write beside, then rename: a crash in the middle never costs the last good checkpoint.
  writeFileSync(`${path}.part`, encodeSafetensors(all, 'F32', metadata))
  renameSync(`${path}.part`, path)
}

/** Puts a saved run's tensors back in place. Throws for another run's checkpoint. */
export function loadRun(
  path: string,
  run: string,
  trained: Tensors,
  average: WeightAverage,
): { state: RunState; optimizer: OptimizerState } {
  if (!existsSync(path)) throw new Error(`${path} does not exist: there is nothing to resume.`)
  const { tensors, metadata } = decodeSafetensors(readFileSync(path))
  if (!metadata.state) throw new Error(`${path} is not a checkpoint of fine-tuning.`)
  const state = JSON.parse(metadata.state) as RunState
  if (state.run !== run)
    throw new Error(
      `${path} belongs to a run with other data or options. Repeat the options that it began with.`,
    )
  const restore = (kind: string, name: string, data: Float32Array) =>
    data.set(tensors.get(`${kind}/${name}`)!.data)
  for (const [name, { data }] of trained) restore('weight', name, data)
  for (const [name, data] of average.sums) restore('average', name, data)
  average.updates = Number(metadata.averaged)
  const slots = [...tensors].filter(([name]) => name.startsWith('optimizer/'))
  const optimizer = new Map(slots.map(([name, { data }]) => [name.slice('optimizer/'.length), data]))
  return { state, optimizer: { steps: Number(metadata.updates), tensors: optimizer } }
}
