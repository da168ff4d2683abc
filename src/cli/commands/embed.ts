/** `sotto embed`: vectors of texts, in the terminal. */
import { isEmbedder } from '../../model/graph/graph-of.ts'
import { type Embedding, isUnanswered, type ModelListing, type Unanswered } from '../../owner/api.ts'
import type { Owner } from '../../owner/owner.ts'
import { InputError, readInput } from '../classify/input.ts'
import { BatchProgress } from '../classify/progress.ts'
import { incomplete, interrupted } from '../classify/run.ts'
import type { ValuesOf } from '../command.ts'
import { Exit, UsageError } from '../errors.ts'
import { bundleOf, owningCommand, type PartiesChoice, partiesChoice, withOwner } from '../parties.ts'
import { print, printJson, say } from '../terminal.ts'

const declared = owningCommand(
  'embed',
  'Vectors of texts from a private encoder, as a data owner in the terminal.',
)
  .option('--text <text...>', 'one text or several')
  .option('--file <file>', 'one JSON object a line, {"text": ...}; - is standard input')
  .option('--json', 'JSON lines even at a terminal, and nothing but errors beside them', false)
  .addHelpText(
    'after',
    `
Examples:
  sotto embed --model BUNDLE --text "A man is eating." "Somebody has a meal."
  sotto embed --model BUNDLE --file texts.jsonl --json > vectors.jsonl

Each result is a line {"embedding": [...], "tokens": n, "cut": whether the text was longer than the model reads}, in the
order of the input; or {"error": ...} of a text that took the model beyond its ranges, and the exit code is 3. A model is an encoder without a head, or a folder of Sentence Transformers; it says itself how vectors
are made of a text's tokens.`,
  )

export const embedCommand = declared.action(embed)

/** Texts handed to the engine at once: it prepares them all before the first. */
const atOnce = 64

async function embed(values: ValuesOf<typeof declared>): Promise<void> {
  const choice = partiesChoice(values)
  if (choice.veiled) throw new UsageError('Veiled models give no vectors of texts.')
  const texts = await textsOf(values)
  if (texts.length === 0) throw new UsageError('There is no text: give --text or --file.')
  const { protection } = choice
  if (!protection.notice.hidesTexts && !values.json)
    say(`${protection.notice.title}: ${protection.notice.summary}.`)
  const isJson = values.json || !process.stdout.isTTY
  const alone = await withBundle(choice)
  await withOwner(alone, (owner) => run(alone, owner, texts, { isJson, isSilent: values.json }))
}

async function textsOf({ text, file }: { text?: string[]; file?: string }): Promise<string[]> {
  if (text !== undefined && file !== undefined) throw new UsageError('Give --text or --file, not both.')
  if (file === undefined) return text ?? []
  const { lines } = await readInput(file)
  return lines.map((line, i) => {
    if (line.pair !== undefined || line.picture)
      throw new InputError(`Line ${i + 1} is not one text alone.`, 'A line must be like {"text": "..."}.')
    return line.text
  })
}

/** With a bundle at hand, whatever does not fit shows before anything is started. */
async function withBundle(choice: PartiesChoice): Promise<PartiesChoice> {
  if (choice.running) return choice
  const { name, dir } = await bundleOf(choice, {
    fits: isEmbedder,
    lack: 'gives no vectors of texts: it is no encoder without a head',
  })
  return { ...choice, model: name, folder: dir }
}

async function run(
  { model: wanted, link, protection }: PartiesChoice,
  owner: Owner,
  texts: readonly string[],
  { isJson, isSilent }: { isJson: boolean; isSilent: boolean },
): Promise<void> {
  const model = nameFrom(await owner.models(), wanted)
  const progress = new BatchProgress(texts.length, 0, { says: !isSilent, counts: true })
  const stop = () => void owner.stop()
  process.once('SIGINT', stop)
  try {
    let done = 0
    let unanswered = 0
    await owner.open({ model, link, protection: protection.id }, (event) => {
      if (event.type === 'notice') progress.say(event.text)
    })
    while (done < texts.length) {
      const results = await owner.embedEach(texts.slice(done, done + atOnce))
      for (const result of results) put(result, isJson)
      unanswered += results.filter(isUnanswered).length
      done += results.length
      progress.at(done)
    }
    if (unanswered === 0) return
    progress.warn(
      `${unanswered} of ${texts.length} texts took the model beyond the ranges that it was calibrated for, and have no vector: their lines say so. Have the model calibrated on texts like these.`,
    )
    throw new Exit(incomplete)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'cancelled') throw new Exit(interrupted)
    throw error
  } finally {
    process.off('SIGINT', stop)
    await owner.close()
  }
}

function put(result: Embedding | Unanswered, isJson: boolean): void {
  if (isUnanswered(result)) {
    if (isJson) printJson({ error: result.error })
    else print(`no vector (${result.error.code})\n`)
    return
  }
  const { vector, tokens, isCut } = result
  if (isJson) printJson({ embedding: vector, tokens, cut: isCut })
  else {
    const some = vector.slice(0, 6).map((value) => value.toFixed(4))
    print(`${vector.length} numbers: ${some.join(' ')} … (${tokens} tokens${isCut ? ', cut' : ''})\n`)
  }
}

function nameFrom(listings: readonly ModelListing[], wanted: string | undefined): string {
  const fitting = listings.filter(({ task }) => task === 'embed').map(({ name }) => name)
  const name = wanted ?? fitting[0]
  if (name === undefined) throw new UsageError('The server has no model that gives vectors of texts.')
  if (!fitting.includes(name))
    throw new UsageError(
      `The model ${name} gives no vectors of texts. Models that do: ${fitting.join(', ') || 'none'}.`,
    )
  return name
}
