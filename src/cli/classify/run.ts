/** One run of `sotto classify`: what goes in, what came out, and what there is to say about it. */

import { type Answer, type Classification, isUnanswered, type TaggedSpan } from '../../owner/api.ts'
import { plainLine } from '../../transport/plain-text.ts'
import { Exit } from '../errors.ts'
import type { PartiesChoice } from '../parties.ts'
import { printJson } from '../terminal.ts'
import { checkPairs, type Input, score } from './input.ts'
import { fileOutput, type Output, resultLine, standardOutput } from './output.ts'
import { BatchProgress } from './progress.ts'

export interface Job {
  choice: PartiesChoice
  input: Input
  out?: string
  isJson: boolean
  hasSummary: boolean
}

/** As shells report a program that Ctrl-C has ended. */
export const interrupted = 130

/** Some texts have no answer, and say so; all others have. */
export const incomplete = 3

/** A run's output and what goes along with it. */
export class Run {
  readonly output: Output
  readonly progress: BatchProgress
  readonly #job: Job
  readonly #model: { name: string; labels: readonly string[] }
  #started?: number
  readonly #before: number
  /** Texts of which the end was left out. */
  #cut = 0

  constructor(job: Job, model: { name: string; labels: readonly string[]; hash: string; pairs?: boolean }) {
    const { input, out, choice, isJson } = job
    checkPairs(input.lines, model.pairs === true)
    const origin = { input: input.sha256, model: model.hash, protection: choice.protection.id }
    const isForPeople = !isJson && process.stdout.isTTY
    const show = (result: Answer, at: number) =>
      isForPeople ? forPeople(result, input.lines[at].text) : resultLine(result)
    this.output = out === undefined ? standardOutput(show) : fileOutput(out, origin, input.lines.length)
    this.#before = this.output.labels.length
    this.progress = new BatchProgress(input.lines.length, this.#before, {
      says: !isJson || process.stderr.isTTY,
      // Results that scroll by at the terminal are progress enough.
      counts: out !== undefined || !process.stdout.isTTY,
    })
    if (this.#before > 0)
      this.progress.say(`${out} has ${this.#before} of ${input.lines.length} lines already.`)
    this.#job = job
    this.#model = model
  }

  get done(): number {
    return this.output.labels.length
  }

  get isComplete(): boolean {
    return this.done === this.#job.input.lines.length
  }

  /** The session is open: from here on it is the texts that take time. */
  begin(): void {
    this.#started ??= performance.now()
  }

  /** Takes the next line's result; one that is there already is left alone. */
  put(line: number, result: Answer): void {
    if (line !== this.done) return
    this.output.write(result)
    if (!isUnanswered(result) && result.isCut) this.#cut++
    this.progress.at(this.done)
  }

  /** Sums up. Throws `Exit` for a run that was stopped, or in which texts have no answer. */
  end(more: Record<string, unknown>): void {
    this.output.close()
    const { input, out, choice, hasSummary } = this.#job
    if (!this.isComplete) {
      const hint = out === undefined ? '' : ' The same command goes on from there.'
      this.progress.warn(`Stopped after ${this.done} of ${input.lines.length} texts.${hint}`)
      throw new Exit(interrupted)
    }
    const { labelled, correct, unknown } = score(input.labels, this.output.labels, this.#model.labels)
    const unlike = [...unknown.values()].reduce((sum, n) => sum + n, 0)
    if (unlike > 0) {
      const names = [...unknown.keys()].slice(0, 3).map((name) => JSON.stringify(name))
      this.progress.warn(
        `${unlike} lines carry a label that the model does not have (${names.join(', ')}), and are left out of the accuracy.`,
      )
    }
    const unanswered = this.output.labels.filter((label) => label === null).length
    const seconds = (performance.now() - (this.#started ?? performance.now())) / 1000
    const texts = this.done - this.#before
    const summary = {
      model: this.#model.name,
      protection: choice.protection.id,
      texts,
      ...(this.#before > 0 ? { earlier: this.#before } : {}),
      ...(labelled > 0 ? { labelled, correct, accuracy: correct / labelled } : {}),
      ...(unlike > 0 ? { unknownLabels: unlike } : {}),
      ...(this.#cut > 0 ? { cut: this.#cut } : {}),
      ...(unanswered > 0 ? { unanswered } : {}),
      ...more,
      seconds: Number(seconds.toFixed(3)),
      secondsPerText: Number((seconds / Math.max(1, texts)).toFixed(4)),
    }
    if (this.#cut > 0) this.progress.say(`Longer than the model reads, and cut at the end: ${this.#cut}.`)
    if (hasSummary) printJson({ summary })
    else
      this.progress.say(
        Object.entries(summary)
          .map(([name, value]) => `  ${name.padEnd(18)} ${value}`)
          .join('\n'),
      )
    if (unanswered === 0) return
    this.progress.warn(
      `${unanswered} of ${input.lines.length} texts took the model beyond the ranges that it was calibrated for, and have no answer: their lines say so. Have the model calibrated on texts like these.`,
    )
    throw new Exit(incomplete)
  }
}

/** A line for a terminal; entities stand in brackets where they are in the text. */
export function forPeople(answer: Answer, text: string): string {
  if (isUnanswered(answer)) return `       –  no answer (${answer.error.code})  ${plainLine(text, 80)}`
  const { label, probabilities, scores, entities }: Classification = answer
  if (entities) return plainLine(bracketed(text, entities), 160)
  const score = scores?.find((each) => each.label === label)
  if (score) return `${score.score.toFixed(3).padStart(8)}  ${plainLine(label)}  ${plainLine(text, 80)}`
  const found = probabilities.find((each) => each.label === label)
  // An answer in words.
  if (!found) return `${plainLine(label, 160)}  ${plainLine(text, 80)}`
  const { probability } = found
  return `${(100 * probability).toFixed(1).padStart(5)} %  ${plainLine(label)}  ${plainLine(text, 80)}`
}

function bracketed(text: string, entities: readonly TaggedSpan[]): string {
  let out = ''
  let at = 0
  for (const { start, end, label } of entities) {
    out += `${text.slice(at, start)}[${text.slice(start, end)}: ${label}]`
    at = end
  }
  return out + text.slice(at)
}
