/** The attacks on one veiled model, and how each is judged. */
import { floatModel } from '../../../src/model/graph/decoder-model.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import type { Group } from '../../../src/protections/veiled/ends.ts'
import { AttackError } from '../error.ts'
import { distanceCorrelation } from './distance-correlation.ts'
import { extracted } from './extraction.ts'
import { type Finding, type Knowledge, timed } from './finding.ts'
import { fineTuned } from './fine-tuning.ts'
import { fingerprints } from './fingerprints.ts'
import { matchGraphs } from './graph-matching.ts'
import { knownBase } from './known-base.ts'
import { fromPlaintext } from './known-plaintext.ts'
import { rowNorms, sortedRows } from './known-table.ts'
import { llamaWeights } from './llama-weights.ts'
import { counted, rareOnes, type Scores, score } from './numbering.ts'
import { sampleTexts } from './own-samples.ts'
import { countPairs } from './pair-counts.ts'
import { privateTune } from './private-tune.ts'
import { align } from './procrustes.ts'
import { perturbed, picked, type Rows, rowsOf } from './rows.ts'
import type { Target } from './target.ts'
import { idsOf } from './texts.ts'

export interface LaboratoryOptions {
  readonly group: Group
  /** Text of users, which is to be read. */
  readonly traffic: string
  /** Users' dialogues that the cloud has seen as numbers. */
  readonly dialogues: number
  /** Tokens that the model is let say without any user. */
  readonly samples: number
  /** Steps for which it tunes what it was given on its own text. */
  readonly tuning: number
  readonly onProgress?: (attack: string) => void
}

/** Relative change of the embedding where the cloud has the table that it was tuned from. */
const TUNED = 0.1
const CORRELATED_ROWS = 300
/** Tokens read by fingerprints, one after another; each is compared with the whole vocabulary. */
const FINGERPRINTED = 8
const EXTRACTED = 400
const SAMPLE_LENGTH = 300

/** What attacks share: the target, users' text, and how it is judged. */
export class Laboratory {
  readonly #o: LaboratoryOptions
  readonly #target: Target
  readonly #vocab: number
  readonly #users: number[][]
  readonly #traffic: Float64Array
  readonly #rare: Uint8Array
  #samples?: Promise<Int32Array[]>
  /** What the best guess from text of the same kind gets right. */
  readable?: Uint8Array

  constructor(o: LaboratoryOptions, target: Target) {
    this.#o = o
    this.#target = target
    this.#vocab = target.veiled.config.vocab
    this.#users = idsOf(target.bundle, [o.traffic])
    if (this.#users.length === 0)
      throw new AttackError('There is no text to read: give --traffic another file.')
    this.#traffic = counted(this.#users, this.#vocab)
    this.#rare = rareOnes(this.#traffic)
  }

  /** Graph matching, from users' dialogues and from what the model says by itself. */
  async byNumbers(knows: Knowledge, files: readonly string[], kind: string): Promise<Finding[]> {
    if (files.length === 0) return []
    const texts = idsOf(this.#target.bundle, files)
    const own = countPairs(texts, this.#vocab)
    const marks = this.#marks()
    const knew = (seen: string): string => `${texts.length} texts ${kind}; ${seen}`
    const { dialogues } = this.#o
    const seen = this.#seen(dialogues)
    let guess: ArrayLike<number> = []
    const match = (texts: readonly ArrayLike<number>[]): Scores => {
      guess = matchGraphs(countPairs(texts, this.#vocab), own, marks)
      return this.#score(guess)
    }
    const findings = [
      await this.#timed(`graph matching, queries`, knows, knew(`${seen.length} dialogues as numbers`), () =>
        match(seen),
      ),
    ]
    if (knows === 'domain') this.readable = this.#right(guess)
    if (this.#o.samples === 0) return findings
    const samples = await this.#ownSamples()
    const tokens = samples.reduce((sum, { length }) => sum + length, 0)
    findings.push(
      await this.#timed('graph matching, no query', knows, knew(`${tokens} tokens that the model said`), () =>
        match(samples),
      ),
    )
    if (knows !== 'domain') return findings
    this.readable = this.#right(guess)
    findings.push(
      await timed({ attack: 'model extraction', knows, knew: knew('the numbers so found') }, () => ({
        ...this.#extract(guess),
      })),
    )
    if (this.#o.tuning > 0) findings.push(await this.#fineTuning(texts, guess, knew('the numbers so found')))
    return findings
  }

  /** One and five dialogues that it has in the clear as well. */
  async byPlaintext(): Promise<Finding[]> {
    const findings: Finding[] = []
    for (const count of [1, 5]) {
      const known = this.#users.slice(-count)
      const numbers = known.map((ids) => this.#target.ends.veilIds(ids))
      findings.push(
        await this.#timed(
          'known plaintext, harvested rows',
          'domain',
          `${count} dialogues in both forms`,
          () => this.#score(fromPlaintext(known, numbers, this.#vocab)),
        ),
      )
    }
    return findings
  }

  async byTable(): Promise<Finding[]> {
    const [table, seen] = this.#tables()
    const knew = 'the embedding table'
    return [
      await this.#timed('sorted rows', 'table', knew, async () => this.#score(await sortedRows(table, seen))),
      await this.#timed('lengths of rows', 'table', knew, () => this.#score(rowNorms(table, seen))),
      await this.#timed('principal axes and Procrustes', 'table', knew, async () =>
        this.#score((await align(table, seen)).guess),
      ),
      await timed({ attack: 'distance correlation', knows: 'table', knew }, () => {
        const ids = Array.from({ length: Math.min(CORRELATED_ROWS, this.#vocab) }, (_, id) => id)
        const rows = picked(seen, this.#target.ends.veilIds(ids))
        return { correlation: distanceCorrelation(picked(table, ids), rows) }
      }),
    ]
  }

  async byBase(): Promise<Finding[]> {
    const [table, seen] = this.#tables()
    const before = perturbed(table, TUNED, new PredictableRandom(3))
    const knew = `a table of which this one is a fine-tune, ${100 * TUNED} % away`
    const { bundle } = this.#target
    const { config } = bundle.manifest
    return [
      await this.#timed('fine-tuned table, sorted rows', 'base', knew, async () =>
        this.#score(await sortedRows(before, seen)),
      ),
      await this.#timed('fine-tuned table, Procrustes', 'base', knew, async () =>
        this.#score((await align(before, seen)).guess),
      ),
      await timed(
        { attack: 'known base', knows: 'base', knew: 'all weights before a private change of 3 %' },
        async () => {
          const { tuned, veiled } = await privateTune(config, bundle.tensors, this.#o.group)
          const weights = [bundle.tensors, tuned].map((tensors) => llamaWeights(config, tensors))
          return knownBase(weights[0], weights[1], llamaWeights({ ...config, tied: false }, veiled))
        },
      ),
    ]
  }

  async byWeights(): Promise<Finding[]> {
    const { bundle, veiled, ends } = this.#target
    const [own, seen] = [
      llamaWeights(bundle.manifest.config, bundle.tensors),
      llamaWeights(veiled.config, veiled.tensors),
    ]
    const [ids] = this.#users
    const started = performance.now()
    const { attention, norms, read } = fingerprints(
      own,
      seen,
      { ids, numbers: ends.veilIds(ids) },
      FINGERPRINTED,
    )
    const seconds = (performance.now() - started) / 1000
    const about = { knows: 'weights', reads: 'tokens', seconds, knew: `all weights; ${read} tokens` } as const
    return [
      { ...about, attack: 'attention fingerprint', recovered: { tokens: attention } },
      { ...about, attack: 'first-layer norms', recovered: { tokens: norms } },
    ]
  }

  /** What `config.json` and the form of every text give away: where texts begin, and whose turn it is. */
  #marks(): ReadonlyMap<number, number> {
    const { chat } = this.#target.bundle.manifest
    const known =
      chat && 'bos' in chat ? [...new Set([chat.bos, chat.user, chat.assistant, chat.end].flat())] : []
    const numbers = this.#target.ends.veilIds(known)
    return new Map(numbers.map((number, i) => [number, known[i]]))
  }

  #seen(dialogues: number): number[][] {
    const step = Math.max(1, Math.floor(this.#users.length / dialogues))
    const chosen = this.#users.filter((_, i) => i % step === 0).slice(0, dialogues)
    return chosen.map((ids) => this.#target.ends.veilIds(ids))
  }

  #ownSamples(): Promise<Int32Array[]> {
    const { config, tensors } = this.#target.veiled
    const length = Math.min(SAMPLE_LENGTH, config.context)
    const [first] = this.#target.ends.veilIds([this.#users[0][0]])
    this.#samples ??= sampleTexts(llamaWeights(config, tensors), {
      first,
      texts: Math.ceil(this.#o.samples / length),
      length,
      random: new PredictableRandom(1),
      onProgress: (tokens) => this.#o.onProgress?.(`the model talks: ${tokens} tokens`),
    })
    return this.#samples
  }

  #right(guess: ArrayLike<number>): Uint8Array {
    const readable = new Uint8Array(this.#vocab)
    this.#target.truth.forEach((own, number) => {
      if (guess[number] === own) readable[own] = 1
    })
    return readable
  }

  #extract(guess: ArrayLike<number>) {
    const { bundle, veiled } = this.#target
    const original = floatModel(bundle.manifest.config, bundle.tensors, undefined, 'float32')
    const copy = floatModel(veiled.config, veiled.tensors, undefined, 'float32')
    return extracted(original, copy, guess, this.#users, EXTRACTED)
  }

  /** As many steps on the host's own text from what it was given, and from nothing. */
  #fineTuning(own: readonly number[][], guess: ArrayLike<number>, knew: string): Promise<Finding> {
    const { bundle, veiled } = this.#target
    const { tuning: steps } = this.#o
    const original = floatModel(bundle.manifest.config, bundle.tensors, undefined, 'float32')
    const identity = Int32Array.from({ length: this.#vocab }, (_, i) => i)
    const about = { attack: 'fine-tuning', knows: 'domain', knew: `${knew}; ${steps} steps` } as const
    return timed(about, async () => {
      const { tuned, fromNothing } = await fineTuned(veiled.config, veiled.tensors, {
        ...{ own, guess, steps },
        judge: (copy) => extracted(original, copy, identity, this.#users, EXTRACTED),
        onProgress: (step) => this.#o.onProgress?.(`fine-tuning, step ${step}`),
      })
      return {
        ...tuned,
        perplexityFromNothing: fromNothing.perplexity,
        agreementFromNothing: fromNothing.agreement,
      }
    })
  }

  #tables(): [Rows, Rows] {
    const { bundle, veiled } = this.#target
    const { config } = bundle.manifest
    const of = (weights: { embedding: Float32Array }): Rows => rowsOf(weights.embedding, config.dim)
    return [of(llamaWeights(config, bundle.tensors)), of(llamaWeights(veiled.config, veiled.tensors))]
  }

  #score(guess: ArrayLike<number>): Scores {
    return score(guess, this.#target.truth, this.#traffic, this.#rare)
  }

  #timed(
    attack: string,
    knows: Knowledge,
    knew: string,
    run: () => Scores | Promise<Scores>,
  ): Promise<Finding> {
    this.#o.onProgress?.(attack)
    return timed({ attack, knows, knew, reads: 'tokens' }, run)
  }
}
