/** Audits of fine-tuning a chat model: the same training with and without privacy, attacked in the same ways. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bundle, loadBundle } from '../../model/bundle-node.ts'
import { PredictableRandom } from '../../model/random.ts'
import { type Dialogue, readDialogues } from '../dialogues.ts'
import type { MethodOptions } from '../finetune/base.ts'
import { prepareChat } from '../finetune/chat-base.ts'
import type { ChatTask } from '../finetune/chat-task.ts'
import { holdOut } from '../finetune/hold-out.ts'
import { chatTask } from '../finetune/load-chat-task.ts'
import { type PrivacyOptions, planPrivacy } from '../finetune/private-step.ts'
import { fineTune } from '../finetune/trainer.ts'
import { type CanaryReport, canaryReport } from '../privacy/canary.ts'
import { type Canaries, type CanaryPlan, makeCanaries } from './canaries.ts'
import { type AttackedModel, halves, membershipAudit } from './membership-audit.ts'
import { subsetTask } from './subset-task.ts'

export interface ChatAuditOptions extends MethodOptions {
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
  onProgress?: (text: string) => void
}

export interface MembershipAuditOptions extends ChatAuditOptions {
  /** Dialogues that a model is trained on or not, half and half. */
  pool: number
  /** Models; each is attacked with the others for shadows. */
  models: number
}

export interface CanaryAuditOptions extends ChatAuditOptions {
  /** Training dialogues besides the canaries. */
  dialogues: number
  canaries: CanaryPlan
}

/** How well the models do on held-out dialogues: without it, hiding the data would be no achievement. */
interface Usefulness {
  /** Mean over the models; for each token. */
  perplexity: number
  /** Mean perplexity of the training dialogues. */
  trainPerplexity: number
  /** Noise multiplier; absent without privacy. */
  sigma?: number
}

export type MembershipFigures = Usefulness & ReturnType<typeof membershipAudit>
export type CanaryFigures = Usefulness & {
  groups: Array<{ repetitions: number } & Omit<CanaryReport, 'exposures'>>
}

/** The figures of private training beside those of ordinary training, all else equal. */
export interface Compared<Figures> {
  basePerplexity: number
  plain: Figures
  private: Figures
}

/** Who was in the training data? Loss threshold and likelihood ratio, by shadow models. */
export async function auditMembership(o: MembershipAuditOptions): Promise<Compared<MembershipFigures>> {
  const { base, train, dev } = await readParts(o.base, o.data)
  const pool = sample(train, o.pool, o.seed)
  const splits = halves(pool.length, o.models, o.seed)
  const bench = new Bench(o, base, pool, dev)
  const figures = async (isPrivate: boolean): Promise<MembershipFigures> => {
    const models: AttackedModel[] = []
    const runs: Usefulness[] = []
    for (const [i, member] of splits.entries()) {
      const members = pool.flatMap((_, number) => (member[number] ? [number] : []))
      const { values, ...run } = await bench.train(members, isPrivate)
      models.push({ losses: await bench.meanNats(bench.examples, values), member })
      runs.push(run)
      o.onProgress?.(
        `${label(isPrivate)} model ${i + 1} of ${o.models}: perplexity ${run.perplexity.toFixed(1)}`,
      )
    }
    const delta = isPrivate ? o.privacy.delta : 0
    return { ...averaged(runs), ...membershipAudit(models, { delta }) }
  }
  return bench.compare(figures)
}

/** Can a code that occurs in the training data be got out of the model? */
export async function auditCanaries(o: CanaryAuditOptions): Promise<Compared<CanaryFigures>> {
  const { base, train, dev } = await readParts(o.base, o.data)
  const canaries: Canaries = makeCanaries(o.canaries)
  const all = [...sample(train, o.dialogues, o.seed), ...canaries.inserted]
  const bench = new Bench(o, base, all, dev)
  const figures = async (isPrivate: boolean): Promise<CanaryFigures> => {
    const { values, ...run } = await bench.train([...all.keys()], isPrivate)
    o.onProgress?.(`${label(isPrivate)} model: perplexity ${run.perplexity.toFixed(1)}`)
    const references = await bench.meanNats(bench.encode(canaries.references), values)
    const groups: CanaryFigures['groups'] = []
    for (const group of canaries.groups) {
      const losses = await bench.meanNats(bench.encode(group.canaries), values)
      const { exposures: _, ...report } = canaryReport(losses, references)
      groups.push({ repetitions: group.repetitions, ...report })
    }
    return { ...run, groups }
  }
  return bench.compare(figures)
}

const label = (isPrivate: boolean) => (isPrivate ? 'private' : 'ordinary')

async function readParts(base: string, data: string) {
  return { base: await loadBundle(base), ...holdOut(readDialogues(data), 0.1) }
}

/** `count` dialogues in random order. Throws when there are fewer. */
function sample(dialogues: readonly Dialogue[], count: number, seed: number): Dialogue[] {
  if (dialogues.length < count)
    throw new RangeError(
      `The data has ${dialogues.length} dialogues to learn from, and the audit needs ${count}.`,
    )
  const random = new PredictableRandom(seed)
  const order = dialogues.map((dialogue) => ({ dialogue, key: random.uniform() }))
  return order
    .sort((a, b) => a.key - b.key)
    .slice(0, count)
    .map(({ dialogue }) => dialogue)
}

const averaged = (runs: readonly Usefulness[]): Usefulness => {
  const mean = (pick: (run: Usefulness) => number) =>
    runs.reduce((sum, run) => sum + pick(run), 0) / runs.length
  return {
    perplexity: mean((run) => run.perplexity),
    trainPerplexity: mean((run) => run.trainPerplexity),
    sigma: runs[0].sigma,
  }
}

/** Trains one model after another from the same start. */
class Bench {
  readonly examples: number[][]
  readonly encode: (dialogues: readonly Dialogue[]) => number[][]
  readonly #o: ChatAuditOptions
  readonly #task: ChatTask
  readonly #start: Map<string, Float32Array>

  constructor(o: ChatAuditOptions, base: Bundle, pool: readonly Dialogue[], dev: readonly Dialogue[]) {
    this.#o = o
    const prepared = prepareChat({ config: base.manifest.config, tensors: base.tensors }, o)
    const { task, encode } = chatTask(base, prepared, pool, dev, o.threads)
    this.#task = task
    this.encode = encode
    this.examples = encode(pool)
    this.#start = new Map([...task.trained].map(([name, { data }]) => [name, data.slice()]))
  }

  /** Ordinary first, then private. */
  async compare<F>(figures: (isPrivate: boolean) => Promise<F>): Promise<Compared<F>> {
    const { loss } = await this.#task.evaluate(new Map())
    const compared = {
      basePerplexity: Math.exp(loss),
      plain: await figures(false),
      private: await figures(true),
    }
    await this.#task.close()
    return compared
  }

  async train(
    members: number[],
    isPrivate: boolean,
  ): Promise<Usefulness & { values: Map<string, Float32Array> }> {
    const o = this.#o
    for (const [name, { data }] of this.#task.trained) data.set(this.#start.get(name)!)
    const out = mkdtempSync(join(tmpdir(), 'sotto-audit-'))
    try {
      const ledger = join(out, 'privacy.ledger')
      // Nothing of these models is released but what the audit finds out; each has a ledger of its own.
      const identity = { dataset: 'audit', model: 'audit' }
      const privacy = isPrivate
        ? planPrivacy({ ...o.privacy, ledger, identity }, members.length, o.batch, o.epochs)
        : undefined
      const task = subsetTask(this.#task, members)
      const { values } = await fineTune({
        ...o,
        task,
        out,
        run: 'audit',
        weightDecay: 0,
        averageEpochs: 0,
        privacy,
      })
      const { loss } = await this.#task.evaluate(values)
      const trained = await this.meanNats(
        members.map((number) => this.examples[number]),
        values,
      )
      const trainLoss = trained.reduce((a, b) => a + b, 0) / trained.length
      return {
        values,
        perplexity: Math.exp(loss),
        trainPerplexity: Math.exp(trainLoss),
        sigma: privacy?.sigma,
      }
    } finally {
      rmSync(out, { recursive: true, force: true })
    }
  }

  /** Mean nats a token, for each dialogue. */
  async meanNats(dialogues: number[][], values: ReadonlyMap<string, Float32Array>): Promise<Float64Array> {
    const nats = await this.#task.nats(dialogues, values)
    return nats.map((sum, i) => sum / (dialogues[i].length - 1))
  }
}
