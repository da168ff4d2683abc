import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import { decodeSafetensors, encodeSafetensors } from '../../src/model/files/safetensors.ts'
import { AdamW, type AdamWOptions } from './adamw.ts'

/** Everything besides the tensors that the next step depends on. */
export interface TrainState<Config = ModelConfig> {
  step: number
  /** Seconds of training so far, over all resumptions. */
  elapsed: number
  seed: number
  config: Config
}

/** One file with weights and both moments in full precision, so that resuming changes nothing. */
export function saveCheckpoint(path: string, state: TrainState<unknown>, optimizer: AdamW): void {
  const all: Tensors = new Map()
  for (const [name, { shape, data }] of optimizer.weights) {
    all.set(`weight/${name}`, { shape, data })
    all.set(`m/${name}`, { shape, data: optimizer.m.get(name)! })
    all.set(`v/${name}`, { shape, data: optimizer.v.get(name)! })
  }
  const metadata = { state: JSON.stringify(state), updates: String(optimizer.steps) }
  // Write beside, then rename: a crash in the middle never costs the last good checkpoint.
  writeFileSync(`${path}.part`, encodeSafetensors(all, 'F32', metadata))
  renameSync(`${path}.part`, path)
}

export function loadCheckpoint<Config = ModelConfig>(
  path: string,
  options?: AdamWOptions,
): { state: TrainState<Config>; optimizer: AdamW } {
  const { tensors, metadata } = decodeSafetensors(readFileSync(path))
  if (!metadata.state) throw new Error(`${path} is not a training checkpoint.`)
  const weights: Tensors = new Map()
  for (const [name, tensor] of tensors)
    if (name.startsWith('weight/')) weights.set(name.slice('weight/'.length), tensor)
  const optimizer = new AdamW(weights, options)
  optimizer.steps = Number(metadata.updates)
  for (const name of weights.keys()) {
    optimizer.m.get(name)!.set(tensors.get(`m/${name}`)!.data)
    optimizer.v.get(name)!.set(tensors.get(`v/${name}`)!.data)
  }
  return { state: JSON.parse(metadata.state) as TrainState<Config>, optimizer }
}
