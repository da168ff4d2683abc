import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import type { MethodOptions } from '../finetune/base.ts'
import { prepareChat } from '../finetune/chat-base.ts'
import type { ChatTask } from '../finetune/chat-task.ts'
import { holdOut } from '../finetune/hold-out.ts'
import { chatTask } from '../finetune/load-chat-task.ts'
import { type PrivacyOptions, type PrivatePlan, planPrivacy } from '../finetune/private-step.ts'
import { fineTune } from '../finetune/trainer.ts'
import { type Dialogue, readDialogues } from '../train/dialogues.ts'
import { subsetTask } from './subset-task.ts'

export interface TrainingOptions extends MethodOptions {
  /** A chat bundle of the LLaMA form. */
  base: string
  /** A file of dialogues, of which a tenth is held out. */
  data: string
  epochs: number
  batch: number
  learningRate: number
  /** Of the runs that are private. */
  privacy: Omit<PrivacyOptions, 'ledger' | 'identity'>
  threads?: number
}

/** Held-out dialogues that perplexities are measured on. */
const heldOutSample = 64

/** Trains one model after another on parts of the same dialogues, each from the same start. */
export class TrainingBench {
  /** The dialogues, as ids. */
  readonly examples: number[][]
  readonly encode: (dialogues: readonly Dialogue[]) => number[][]
  readonly #o: TrainingOptions
  readonly #task: ChatTask
  readonly #start: Map<string, Float32Array>
  readonly #plans = new Map<number, PrivatePlan>()

  private constructor(o: TrainingOptions, { task, encode }: ReturnType<typeof chatTask>, all: Dialogue[]) {
    this.#o = o
    this.#task = task
    this.encode = encode
    this.examples = encode(all)
    this.#start = new Map([...task.trained].map(([name, { data }]) => [name, data.slice()]))
  }

  /** `count` dialogues of the data and the `more`. Throws RangeError when the data has too few. */
  static async open(
    o: TrainingOptions,
    count: number,
    more: readonly Dialogue[] = [],
  ): Promise<TrainingBench> {
    const base = await loadBundle(o.base)
    const { train, dev } = holdOut(readDialogues(o.data), 0.1)
    const all = [...sample(train, count, o.seed), ...more]
    const prepared = prepareChat({ config: base.manifest.config, tensors: base.tensors }, o)
    return new TrainingBench(o, chatTask(base, prepared, all, dev.slice(0, heldOutSample), o), all)
  }

  /** Trained values of a model that learned from the examples with these numbers, and the noise that they got. */
  async train(
    members: readonly number[],
    isPrivate: boolean,
  ): Promise<{ values: Map<string, Float32Array>; sigma?: number }> {
    const o = this.#o
    for (const [name, { data }] of this.#task.trained) data.set(this.#start.get(name)!)
    const out = mkdtempSync(join(tmpdir(), 'sotto-audit-'))
    try {
      const privacy = isPrivate
        ? { ...this.#plan(members.length), ledger: join(out, 'privacy-ledger.jsonl') }
        : undefined
      const task = subsetTask(this.#task, members)
      const run = { task, out, privacy, run: 'audit', weightDecay: 0, averageEpochs: 0 }
      const { values } = await fineTune({ ...o, ...run })
      return { values, sigma: privacy?.sigma }
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  }

  /** The noise for so many examples, which takes a second to find. */
  #plan(examples: number): PrivatePlan {
    const o = this.#o
    // Each model is another run's stand-in, and counts for itself.
    const identity = { dataset: 'audit', model: 'audit' }
    const plan =
      this.#plans.get(examples) ??
      planPrivacy({ ...o.privacy, ledger: '', identity }, examples, o.batch, o.epochs)
    this.#plans.set(examples, plan)
    return plan
  }

  /** For each token of some held-out dialogues. */
  async perplexity(values: ReadonlyMap<string, Float32Array> = new Map()): Promise<number> {
    return Math.exp((await this.#task.evaluate(values)).loss)
  }

  /** Mean nats a token, for each dialogue. */
  async meanNats(dialogues: number[][], values: ReadonlyMap<string, Float32Array>): Promise<Float64Array> {
    const nats = await this.#task.nats(dialogues, values)
    return nats.map((sum, i) => sum / (dialogues[i].length - 1))
  }

  close(): Promise<void> {
    return this.#task.close()
  }
}

function sample(dialogues: readonly Dialogue[], count: number, seed: number): Dialogue[] {
  if (dialogues.length < count)
    throw new RangeError(
      `The data has ${dialogues.length} dialogues to learn from; the audit needs ${count}.`,
    )
  const random = new PredictableRandom(seed)
  const order = dialogues.map((dialogue) => ({ dialogue, key: random.uniform() }))
  return order
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ dialogue }) => dialogue)
}
