import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import type { CalibrationText } from '../calibrate/texts.ts'
import type { MethodOptions } from './base.ts'
import type { Task } from './task.ts'

/** What to learn, from which data, and how. */
export interface TaskOptions extends MethodOptions {
  /** `sst2`, `labels`, `pairs`, `glue:NAME` or `chat`. */
  task: string
  data: string
  /** Held-out data in the same form; without it, a part of `data` is held out. */
  dev?: string
  /** The part that is held out without `dev`. */
  heldOut: number
  /** How often each text begins a pair of either kind, where pairs are made from labelled texts. */
  pairsPerText: number
  /** Whether the training data must be protected, so that no text may be in two examples. */
  isPrivate: boolean
  /** Chat models: learn what the assistant says, and not what users say. */
  repliesOnly?: boolean
  wordDropout: number
  smoothing: number
  threads: number
}

/** A task with all that its bundle needs. */
export interface LoadedTask {
  task: Task
  config: ModelConfig
  /** All tensors; the trained ones are in `task`. */
  tensors: Tensors
  tokenizer: object
  /** Chat models only. */
  chat?: Manifest['chat']
  /** The held-out examples: texts to calibrate on. */
  dev: readonly CalibrationText[]
  /** SHA-256 of the training data's file. */
  dataset: string
}
