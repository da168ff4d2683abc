/** `sotto classify`: labels for the texts of a file, in the terminal. */
import { resolve } from 'node:path'
import { SessionError } from '../../handshake/errors.ts'
import type { ModelListing, OwnerEvent } from '../../owner/api.ts'
import type { Owner } from '../../owner/owner.ts'
import type { Stats } from '../../owner/session-stats.ts'
import { type Input, readInput } from '../classify/input.ts'
import { interrupted, type Job, Run } from '../classify/run.ts'
import type { ValuesOf } from '../command.ts'
import { Exit, UsageError } from '../errors.ts'
import { bundleOf, owningCommand, partiesChoice, withOwner } from '../parties.ts'

const declared = owningCommand(
  'classify',
  'Label texts with a private model, as a data owner in the terminal.',
)
  .requiredOption(
    '--file <file>',
    'a picture (PNG), or one JSON object a line, {"text": ...} or {"text": ..., "pair": ...}; - is standard input. A "label" serves for the accuracy and goes nowhere',
  )
  .option('--question <text>', 'what is asked of the picture, where the model answers in words')
  .option(
    '--out <file>',
    'write there instead of to standard output. An interrupted run of the same input and model goes on behind its last line; FILE.origin.json remembers both',
  )
  .option('--summary', 'a last line on standard output: accuracy, hops, bytes, seconds', false)
  .option('--json', 'JSON lines even at a terminal, and nothing but errors beside them', false)
  .addHelpText(
    'after',
    `
Examples:
  sotto classify --model sst2 --file reviews.jsonl --out labels.jsonl
  sotto classify --model sst2 --file - --json < reviews.jsonl
  sotto classify --veiled CLOUD --keys KEYS --file reviews.jsonl
  sotto classify --veiled CLOUD --keys KEYS --file coat.png
  sotto classify --veiled CLOUD --keys KEYS --file four.png --question "what is at the top left?"

Each result is a line {"label": ..., "probabilities": {...}}, in the order of the input; of a reranker or a regression, it
has "scores" instead; of a model that labels tokens, "entities" and "words" with their places in the text; of one that answers
questions on pictures, "label" is the answer. A text that takes
the model beyond the ranges that it was calibrated for has {"error": ...} in its line; the exit code is then 3.`,
  )

export const classifyCommand = declared.action(classify)

/** Texts handed to the engine at once: it prepares them all before the first. */
const atOnce = 256

async function classify(values: ValuesOf<typeof declared>): Promise<void> {
  const choice = partiesChoice(values)
  const { file } = values
  if (values.out !== undefined && resolve(values.out) === resolve(file))
    throw new UsageError('--out must not be the input itself.')
  const job: Job = {
    choice,
    input: asked(await readInput(file), values.question),
    out: values.out,
    isJson: values.json,
    hasSummary: values.summary,
  }
  const stopper = new Stopper()
  try {
    if (choice.running || choice.veiled)
      await withOwner(choice, (owner) => label(job, owner, stopper, values.question))
    else await withBundle(job, stopper, values.question)
  } catch (error) {
    // Ctrl-C reaches processes that we have started, too, and what they leave undone is no news.
    if (!stopper.isStopped || error instanceof Exit) throw error
    throw new Exit(interrupted)
  } finally {
    stopper.close()
  }
}

/** A picture goes with its question, where there is one. */
function asked(input: Input, question: string | undefined): Input {
  if (question === undefined) return input
  if (!input.lines[0]?.picture)
    throw new UsageError('--question is asked of a picture.', 'Give one by --file: a PNG.')
  return { ...input, lines: input.lines.map((line) => ({ ...line, text: question })) }
}

/** Ends a run between two texts on Ctrl-C, SIGTERM, or when nobody reads the results any more. */
class Stopper {
  isStopped = false
  /** Ends what is being computed. */
  onStop: () => void = () => undefined
  readonly #stop = (): void => {
    this.isStopped = true
    this.onStop()
  }

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, this.#stop)
    process.stdout.on('error', this.#stop)
  }

  close(): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#stop)
  }
}

/** With a bundle at hand, whatever does not fit shows before anything is started. */
async function withBundle(job: Job, stopper: Stopper, question?: string): Promise<void> {
  const { choice } = job
  const entry = await bundleOf(choice, {
    fits: ({ config }) => config.head?.kind === 'classify' || config.head?.kind === 'tag',
    lack: 'has no labels to give',
  })
  const { head } = entry.manifest.config
  if (head?.kind !== 'classify' && head?.kind !== 'tag') return
  const run = new Run(job, { name: entry.name, hash: entry.hash, ...head })
  if (run.isComplete) return run.end(nothing)
  const alone = { ...job, choice: { ...choice, model: entry.name, folder: entry.dir } }
  const { notice } = choice.protection
  if (!notice.hidesTexts) run.progress.say(`${notice.title}: ${notice.summary}.`)
  await withOwner(alone.choice, (owner) => label(alone, owner, stopper, question, run))
}

/** Answers of two models would stand in one file. */
class OtherModel extends Error {
  constructor() {
    super(
      'The model server has another model under this name since this run began. What is done stands; for a run with the new one give another --out.',
    )
  }
}

const nothing = {
  ...{ hops: 0, ownerUpBytes: 0, ownerDownBytes: 0, dealerBytes: 0 },
  ...{ auditedPasses: 0, passes: 0, auditDealtBytes: 0 },
}

/** @param known the run, where its model could be looked at before. */
async function label(
  job: Job,
  owner: Owner,
  stopper: Stopper,
  question?: string,
  known?: Run,
): Promise<void> {
  const listing = listingFor(await owner.models(), job.choice.model)
  const isOfQuestions = listing.outputs === 'text'
  if (isOfQuestions !== (question !== undefined))
    throw new UsageError(
      isOfQuestions
        ? `The model ${listing.name} answers questions: ask one by --question.`
        : `The model ${listing.name} gives labels, and takes no --question.`,
    )
  const run = known ?? new Run(job, { ...listing, labels: listing.labels ?? [] })
  const options = { model: listing.name, link: job.choice.link, protection: job.choice.protection.id }
  let sum = nothing
  let link = ''
  let stats: Stats | undefined
  stopper.onStop = () => void owner.stop()
  while (!run.isComplete && !stopper.isStopped) {
    const first = run.done
    let base = first
    const hear = (event: OwnerEvent) => {
      if (event.type === 'stats') stats = event.stats
      else if (event.type === 'classified') run.put(base + event.index, event.result)
      else if (event.type === 'unanswered') run.put(base + event.index, { error: event.error })
      else if (event.type === 'notice') run.progress.say(event.text)
    }
    try {
      const { link: used, model } = await owner.open(options, hear)
      if (model.hash !== listing.hash) throw new OtherModel()
      link = used.kind
      run.begin()
      while (!run.isComplete && !stopper.isStopped) {
        base = run.done
        const results = await owner.classifyEach(job.input.lines.slice(base, base + atOnce))
        for (const [index, result] of results.entries()) run.put(base + index, result)
      }
    } catch (error) {
      // A session that has got somewhere is worth another one; its masks are new. Not with a dealer that was found out.
      if (stopper.isStopped) break
      if (
        run.done === first ||
        error instanceof OtherModel ||
        (error instanceof SessionError && error.code === 'audit-failed')
      )
        throw error
      run.progress.say(`Connecting again (${error instanceof Error ? error.message : error}).`)
    } finally {
      sum = plus(sum, stats)
      stats = undefined
      await owner.close()
    }
  }
  run.end({ ...sum, link })
}

const plus = (sum: typeof nothing, stats: Stats | undefined): typeof nothing => ({
  hops: sum.hops + (stats?.hops ?? 0),
  ownerUpBytes: sum.ownerUpBytes + (stats?.ownerUpBytes ?? 0),
  ownerDownBytes: sum.ownerDownBytes + (stats?.ownerDownBytes ?? 0),
  dealerBytes: sum.dealerBytes + (stats?.dealerToServerBytes ?? 0),
  auditedPasses: sum.auditedPasses + (stats?.audits?.audited ?? 0),
  passes: sum.passes + (stats?.audits?.passes ?? 0),
  auditDealtBytes: sum.auditDealtBytes + (stats?.audits?.dealtBytes ?? 0),
})

/** The model with this name, or the first that labels texts. */
function listingFor(listings: ModelListing[], name: string | undefined): ModelListing {
  const labelling = listings.filter(({ task }) => task === 'classify')
  const names = labelling.map((listing) => listing.name).join(', ') || 'none'
  const listing = name === undefined ? labelling[0] : listings.find((one) => one.name === name)
  if (!listing)
    throw new UsageError(
      name === undefined
        ? 'The server has no model that labels texts.'
        : `The server has no model ${name}. Models that label texts: ${names}.`,
    )
  if (listing.task !== 'classify')
    throw new UsageError(`The model ${listing.name} has no labels to give. Models that do: ${names}.`)
  return listing
}
