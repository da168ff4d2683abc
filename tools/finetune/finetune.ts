import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Tensors } from '../../src/model/architectures/config.ts'
import type { LedgerIdentity } from '../privacy/ledger-file.ts'
import type { About } from '../train/export.ts'
import { readBase } from './base.ts'
import type { EpochReport } from './checkpoint.ts'
import { exportFineTuned } from './export.ts'
import { loadTask } from './load-task.ts'
import type { TaskOptions } from './loaded-task.ts'
import { type Accountant, type PrivateOptimizer, type PrivatePlan, planPrivacy } from './private-step.ts'
import { reportHtml } from './report.ts'
import { fineTune } from './trainer.ts'

export interface FineTuneOptions extends Omit<TaskOptions, 'isPrivate'> {
  base: string
  /** Folder for the checkpoint and the report; the model goes to `out/bundle`. */
  out: string
  epochs: number
  batch: number
  learningRate: number
  weightDecay: number
  averageEpochs: number
  /** Without it, training is not private. */
  privacy?: {
    epsilon: number
    /** A tenth of one over the number of examples unless said otherwise. */
    delta?: number
    clip: number
    accountant: Accountant
    optimizer: PrivateOptimizer
    /** DP-AdamBC's floor of the second moment. */
    gamma?: number
    /** In `ledgers`, under the hashes of data and base, unless said otherwise. */
    ledger?: string
    ledgers: string
    /** What may be known of how many examples there are; without it, their number is not hidden. */
    publicExamples?: number
  }
  about: Partial<About>
  resume: boolean
  onPlan?: (plan: PrivatePlan) => void
  onEpoch?: (report: EpochReport) => void
}

export interface FineTuneSummary {
  bundle: string
  hash: string
  examples: number
  trainedParameters: number
  epochs: number
  steps: number
  loss: number
  accuracy?: number
  /** For each held-out token, of the base and of the model; chat models only. */
  perplexity?: { base: number; tuned: number }
  privacy?: {
    epsilon: number
    delta: number
    sigma: number
    q: number
    steps: number
    clip: number
    /** Whether the number of examples is hidden: all of this was then planned with a public one. */
    hidesNumber: boolean
    ledger: string
  }
}

/** Fine-tunes a base on a task, and writes its report and its bundle. */
export async function runFineTune(o: FineTuneOptions): Promise<FineTuneSummary> {
  const base = await readBase(o.base)
  const loaded = loadTask(base, { ...o, isPrivate: o.privacy !== undefined })
  const { task, config } = loaded
  // All that a resumed run must have in common with the run that it goes on with.
  const same = {
    ...o,
    ...{ onEpoch: 0, onPlan: 0, resume: 0, out: 0, about: 0, threads: 0, base: 0, data: 0, dev: 0 },
    privacy: o.privacy && { ...o.privacy, ledger: 0, ledgers: 0 },
  }
  const model = hashOf(base.tensors, JSON.stringify([config, o.method, [...task.trained.keys()]]))
  const run = createHash('sha256')
    .update(JSON.stringify([same, loaded.dataset, model]))
    .digest('hex')
  // However it is trained: what one base learns of one data set adds up.
  const identity = { dataset: loaded.dataset, model: hashOf(base.tensors, JSON.stringify(base.config)) }
  const plan =
    o.privacy &&
    planPrivacy(
      {
        ...o.privacy,
        ledger: o.privacy.ledger ?? ledgerOf(o.privacy.ledgers, identity),
        identity,
      },
      task.examples,
      o.batch,
      o.epochs,
    )
  mkdirSync(o.out, { recursive: true })
  if (plan) o.onPlan?.(plan)
  const before = o.task === 'chat' ? await task.evaluate(new Map()) : undefined
  const { state, values } = await fineTune({ ...o, task, run, privacy: plan })
  await task.close()
  const last = state.reports.at(-1)!
  const about: About = {
    name: o.about.name ?? basename(o.out),
    description: o.about.description ?? `Fine-tuned on ${o.task}.`,
    license: o.about.license ?? base.about?.license ?? 'unknown',
    source: [o.about.source ?? basename(o.data), base.about && `Base: ${base.about.source}`]
      .filter(Boolean)
      .join(' '),
  }
  const facts = factsOf(o, plan?.plannedExamples ?? task.examples, plan, last)
  writeFileSync(join(o.out, 'report.html'), reportHtml(about.name, facts, state.reports))
  writeFileSync(
    join(o.out, 'report.json'),
    `${JSON.stringify({ facts: Object.fromEntries(facts), epochs: state.reports }, null, 1)}\n`,
  )
  const bundle = join(o.out, 'bundle')
  const hash = await exportFineTuned(bundle, {
    ...loaded,
    values,
    method: o.method,
    about,
    texts: loaded.dev,
  })
  return {
    bundle,
    hash,
    examples: plan?.plannedExamples ?? task.examples,
    trainedParameters: [...task.trained.values()].reduce((sum, { data }) => sum + data.length, 0),
    epochs: o.epochs,
    steps: state.step,
    loss: last.devLoss,
    accuracy: last.devAccuracy,
    ...(before && { perplexity: { base: Math.exp(before.loss), tuned: Math.exp(last.devLoss) } }),
    ...(plan && {
      privacy: {
        epsilon: last.epsilon!,
        delta: plan.delta,
        sigma: plan.sigma,
        q: plan.q,
        steps: plan.steps,
        clip: plan.clip,
        hidesNumber: plan.publicExamples !== undefined,
        ledger: plan.ledger,
      },
    }),
  }
}

/** One file for each data set and base, wherever runs put their results. */
function ledgerOf(folder: string, { dataset, model }: LedgerIdentity): string {
  mkdirSync(folder, { recursive: true })
  return join(folder, `${dataset.slice(0, 24)}-${model.slice(0, 24)}.jsonl`)
}

function hashOf(tensors: Tensors, about: string): string {
  const hash = createHash('sha256').update(about)
  for (const [name, { data }] of tensors)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return hash.digest('hex')
}

/** What is hidden of how many examples there are. */
export const numberOf = ({ publicExamples, plannedExamples }: PrivatePlan): string =>
  publicExamples === undefined
    ? `${plannedExamples}, the data’s own: noise, steps and delta come from it, and the guarantee does not hide it`
    : `${publicExamples}, public: noise, steps and delta come from it, and the true number is hidden`

function factsOf(
  o: FineTuneOptions,
  examples: number,
  plan: PrivatePlan | undefined,
  last: EpochReport,
): Array<[string, string]> {
  const facts: Array<[string, string]> = [
    ['Task', o.task],
    ['Examples', String(examples)],
    [
      'Trained',
      o.method === 'full' ? 'all weights' : `${o.method}, rank ${o.rank}, alpha ${o.alpha}, and head`,
    ],
    ['Batch, epochs', `${o.batch}, ${o.epochs}`],
    ['Learning rate', String(o.learningRate)],
    ['Accuracy, held out', last.devAccuracy === undefined ? 'none' : last.devAccuracy.toFixed(4)],
  ]
  if (!plan) return [...facts, ['Privacy', 'none: the model may remember its training data']]
  return [
    ...facts,
    ['Optimizer', plan.optimizer],
    ['Epsilon spent, target', `${last.epsilon!.toFixed(3)}, ${plan.epsilon} (${plan.accountant} accountant)`],
    ['Delta', String(plan.delta)],
    ['Noise multiplier', plan.sigma.toFixed(4)],
    ['Sampling probability', plan.q.toFixed(5)],
    ['Clipping norm', String(plan.clip)],
    ['Protects', 'one example more or less. Choosing these settings by held-out accuracy is not counted.'],
    ['Number of examples', numberOf(plan)],
  ]
}
