/** Fine-tunes a chat model on dialogues, privately or not, and writes the bundle that serves it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, loadBundle, writeBundle } from '../../model/bundle-node.ts'
import { canonicalJson, chatOf, type Manifest, modelHash, sha256 } from '../../model/manifest.ts'
import { foldedAway } from '../../protocol/compile/lower.ts'
import { calibrateBundle } from '../calibrate.ts'
import { type Dialogue, encodeDialogue, readDialogues } from '../dialogues.ts'
import { bundleEncoder } from '../evaluate.ts'
import type { MethodOptions, Prepared } from './base.ts'
import { prepareChat } from './chat-base.ts'
import { ChatTask } from './chat-task.ts'
import type { EpochReport } from './checkpoint.ts'
import { fileBytes } from './data.ts'
import { holdOut } from './hold-out.ts'
import { type PrivacyOptions, type PrivatePlan, planPrivacy } from './private-step.ts'
import { reportHtml } from './report.ts'
import { fineTune } from './trainer.ts'

export interface ChatFineTuneOptions extends MethodOptions {
  /** A chat bundle of the LLaMA form. */
  base: string
  /** Dialogues to learn from; each is one example. */
  data: string
  /** Held-out dialogues; without a file, about a share `heldOut` of the data is set aside by a hash of its text. */
  dev?: string
  heldOut: number
  /** The new bundle's folder. */
  out: string
  /** Folder for checkpoint, ledger and report. */
  run: string
  epochs: number
  batch: number
  learningRate: number
  weightDecay: number
  averageEpochs: number
  /** Without it, training is not private. */
  privacy?: Omit<PrivacyOptions, 'ledger' | 'identity'>
  about?: Partial<Pick<Manifest, 'name' | 'description' | 'license' | 'source'>>
  threads?: number
  resume?: boolean
  onEpoch?: (report: EpochReport) => void
}

export interface ChatFineTuneReport {
  bundle: string
  hash: string
  method: string
  examples: number
  heldOut: { dialogues: number; tokens: number }
  /** For each token of the held-out dialogues: of the base, and of the bundle as it was written. */
  perplexity: { base: number; tuned: number }
  steps: number
  seconds: number
  privacy?: Pick<PrivatePlan, 'delta' | 'clip' | 'sigma' | 'q' | 'accountant' | 'optimizer'> & {
    epsilon: number
  }
}

/** Throws, before anything is trained, for a base that does not chat or has adapters, and for data that is unusable. */
export async function fineTuneChat(o: ChatFineTuneOptions): Promise<ChatFineTuneReport> {
  const base = await loadBundle(o.base)
  chatOf(base.manifest)
  const prepared = prepareChat({ config: base.manifest.config, tensors: base.tensors }, o)
  const { train, dev } = o.dev
    ? { train: readDialogues(o.data), dev: readDialogues(o.dev) }
    : holdOut(readDialogues(o.data), o.heldOut)
  if (train.length === 0 || dev.length === 0)
    throw new Error(
      `${train.length} dialogues to learn from and ${dev.length} held out: there must be some of both.`,
    )
  const { task } = chatTask(base, prepared, train, dev, o.threads)
  const { privacy, run } = await planRun(o, base, train.length)
  mkdirSync(o.run, { recursive: true })
  const before = await task.evaluate(new Map())
  const result = await fineTune({ ...o, task, out: o.run, run, privacy })
  const manifest = await writeTuned(o, base, prepared, result.values, dev)
  const written = (await loadBundle(o.out)).tensors
  const after = await task.evaluate(
    new Map([...prepared.trained].map((name) => [name, written.get(name)!.data])),
  )
  await task.close()
  const { step, seconds, reports } = result.state
  const report: ChatFineTuneReport = {
    bundle: o.out,
    hash: await modelHash(manifest),
    method: o.method,
    examples: train.length,
    heldOut: { dialogues: dev.length, tokens: task.heldOutTokens },
    perplexity: { base: Math.exp(before.loss), tuned: Math.exp(after.loss) },
    steps: step,
    seconds,
    ...(privacy && { privacy: spent(privacy, reports) }),
  }
  writeFileSync(join(o.run, 'report.html'), reportHtml(manifest.name, factsOf(report), reports))
  return report
}

/** The task of a prepared chat model, and how it reads dialogues: as ids, cut to its context. */
export function chatTask(
  base: Bundle,
  { config, tensors, trained }: Prepared,
  train: readonly Dialogue[],
  dev: readonly Dialogue[],
  threads?: number,
): { task: ChatTask; encode: (dialogues: readonly Dialogue[]) => number[][] } {
  const encoder = bundleEncoder(base)
  const encode = (dialogues: readonly Dialogue[]) =>
    dialogues.map((dialogue) => encodeDialogue(dialogue, encoder).slice(0, config.context + 1))
  return {
    encode,
    task: new ChatTask({ config, tensors, trained, train: encode(train), dev: encode(dev), threads }),
  }
}

/** The noise, and a hash of all that must stay the same when the run is resumed. */
async function planRun(o: ChatFineTuneOptions, base: Bundle, examples: number) {
  const dataset = await sha256(fileBytes(o.data))
  const { method, rank, alpha, seed, epochs, batch, learningRate, weightDecay, averageEpochs, heldOut } = o
  const trained = { base: base.hash, method, rank, alpha, seed }
  const model = await sha256(new TextEncoder().encode(canonicalJson(trained)))
  const identity = { dataset, model }
  const plan = { epochs, batch, learningRate, weightDecay, averageEpochs, heldOut: o.dev ? 0 : heldOut }
  const all = canonicalJson({ ...trained, ...plan, dataset, privacy: o.privacy })
  const ledger = join(o.run, 'privacy.ledger')
  const privacy = o.privacy && planPrivacy({ ...o.privacy, ledger, identity }, examples, batch, epochs)
  return { privacy, run: await sha256(new TextEncoder().encode(all)) }
}

/**
 * The tuned bundle: what was trained is private, all else public. Calibrated on the held-out dialogues: ranges are public,
 * and measured on the training data they would tell of it.
 */
async function writeTuned(
  o: ChatFineTuneOptions,
  { manifest: from, tokenizer }: Bundle,
  { config, tensors, trained }: Prepared,
  values: ReadonlyMap<string, Float32Array>,
  dev: readonly Dialogue[],
): Promise<Manifest> {
  const isPublic = (name: string) => !trained.has(name)
  const tuned = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: values.get(name) ?? data }]),
  )
  await writeBundle(o.out, {
    name: o.about?.name ?? `${from.name} (fine-tuned)`,
    description: o.about?.description ?? from.description,
    license: o.about?.license ?? from.license,
    source: o.about?.source ?? from.source,
    config,
    chat: from.chat,
    profile: {},
    tokenizer,
    tensors: tuned,
    visibility: (name) => (isPublic(name) ? 'public' : 'private'),
    isBase: foldedAway(config, isPublic),
  })
  const path = join(o.run, 'held-out.jsonl')
  writeFileSync(path, dev.map((dialogue) => `${JSON.stringify(dialogue)}\n`).join(''))
  return calibrateBundle({ bundle: o.out, data: path })
}

function spent(privacy: PrivatePlan, reports: readonly EpochReport[]): ChatFineTuneReport['privacy'] {
  const { delta, clip, sigma, q, accountant, optimizer } = privacy
  return { epsilon: reports.at(-1)?.epsilon ?? 0, delta, clip, sigma, q, accountant, optimizer }
}

function factsOf(r: ChatFineTuneReport): Array<[string, string]> {
  const { epsilon, delta, clip, sigma, q, accountant, optimizer } = r.privacy ?? {}
  return [
    ['Method', r.method],
    ['Dialogues', `${r.examples} to learn from, ${r.heldOut.dialogues} held out`],
    ['Perplexity', `${r.perplexity.base.toFixed(2)} before, ${r.perplexity.tuned.toFixed(2)} after`],
    ['Steps', String(r.steps)],
    ...(r.privacy
      ? ([
          ['Protected', 'one dialogue'],
          ['Epsilon spent', `${epsilon!.toFixed(3)} at delta ${delta} (${accountant})`],
          ['Mechanism', `${optimizer}, sigma ${sigma!.toFixed(4)}, q ${q!.toFixed(5)}, clip ${clip}`],
        ] satisfies Array<[string, string]>)
      : ([['Privacy', 'none']] satisfies Array<[string, string]>)),
  ]
}
