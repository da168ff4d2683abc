/** Texts and their labels: one at a time, or a batch. In this tab's memory only. */
import {
  type Answer,
  type Classification,
  type ClassifyInput,
  isUnanswered,
  OwnerError,
  type OwnerEvent,
} from '../../owner/api.ts'
import { decimal, percent } from '../format.ts'
import { addTraffic, noTraffic, type PartiesTraffic } from '../history/traffic.ts'
import { t } from '../language.ts'
import {
  type Batch,
  finished,
  isComplete,
  isFor,
  remaining,
  unansweredCount,
  withResult,
} from './classify-batch.ts'
import { engine } from './engine.ts'
import { locked } from './locks.ts'
import { rememberPace } from './pace.ts'
import { Store } from './store.ts'

/** A text that has its label, and what it took. */
export interface Labelled {
  input: ClassifyInput
  result: Classification
  seconds: number
  traffic: PartiesTraffic
  /** Masked words that the server saw instead. */
  wire: number[]
}

export interface ClassifyState {
  mode: 'one' | 'many'
  /** What is being computed. */
  busy?: 'one' | 'many'
  stopping: boolean
  one?: Labelled
  batch?: Batch
  error?: OwnerError
  /** What the parties received since this page was opened. */
  traffic: PartiesTraffic
  /** The latest news, for a screen reader. */
  said: string
}

/** How often a screen reader hears of a batch's progress. */
const sayEvery = 15_000

/** Texts handed to the engine at once: it prepares them all before the first. */
const atOnce = 256

export class Classifier extends Store<ClassifyState> {
  #run?: Promise<void>
  #cancel?: () => void
  #saidAt = 0

  constructor() {
    super({ mode: 'one', stopping: false, traffic: noTraffic, said: '' })
    let before = engine.state.stats
    let hash = engine.state.model?.hash
    engine.subscribe(() => {
      const { stats, model } = engine.state
      if (stats && stats !== before && engine.task === 'classify')
        this.set({ traffic: addTraffic(this.state.traffic, before, stats) })
      before = stats
      // What is under the text must be the chosen model's; a batch says whose it is.
      if (model && model.hash !== hash) this.set({ one: undefined, error: undefined, said: '' })
      hash = model?.hash
    })
  }

  /** Labels one text, or a pair. */
  one(input: ClassifyInput): Promise<void> {
    return this.#start('one', async () => {
      this.set({ one: undefined })
      const [before, started] = [engine.state.stats, performance.now()]
      const [result] = await engine.classify([input], () => undefined)
      if (!result) return
      if (isUnanswered(result)) throw OwnerError.from(result.error)
      const seconds = (performance.now() - started) / 1000
      const { stats, model } = engine.state
      if (model) rememberPace(model, 1, seconds)
      const one: Labelled = {
        input,
        result,
        seconds,
        traffic: stats ? addTraffic(noTraffic, before, stats) : noTraffic,
        wire: stats?.serverSample.slice(0, 12) ?? [],
      }
      this.set({ one, said: spoken(result) })
    })
  }

  /** Takes a batch without starting it. */
  load(batch: Batch | undefined): void {
    this.set({ batch, error: undefined, said: '' })
  }

  /** Labels what has no label yet: from the start, after a cancel, after an error. */
  many(): Promise<void> {
    return this.#start('many', async () => {
      const { model } = engine.state
      let { batch } = this.state
      if (!batch || !isFor(batch, model)) return
      // Results of two models don't mix.
      if (batch.model?.hash !== model?.hash) batch = { ...batch, results: [] }
      const { inputs, rows } = remaining(batch)
      const since = { ms: performance.now(), rows: batch.results.length }
      this.set({ batch: { ...batch, model, since }, said: t('said.classifying', { n: inputs.length }) })
      this.#saidAt = since.ms
      let done = 0
      while (done < inputs.length) {
        const first = done
        const onEvent = (event: OwnerEvent) => {
          if (event.type === 'classified') this.#add(rows[first + event.index], event.result)
          else if (event.type === 'unanswered') this.#add(rows[first + event.index], { error: event.error })
        }
        const results = await engine.classify(inputs.slice(first, first + atOnce), onEvent)
        done += results.length
        if (this.state.stopping || results.length === 0) break
      }
      if (done < inputs.length || !this.state.batch) return
      const complete = finished(this.state.batch)
      const unanswered = unansweredCount(complete)
      const end = t('said.done', { n: complete.results.length })
      const said = unanswered > 0 ? `${end} ${t('said.unanswered', { n: unanswered })}` : end
      this.set({ batch: complete, said })
    })
  }

  /** Ends what is being computed; a batch keeps its finished rows. */
  async stop(): Promise<void> {
    if (!this.state.busy) return
    this.set({ stopping: true })
    this.#cancel?.()
    // While a session is still being opened there is nothing to cancel at the parties.
    if (engine.state.phase === 'open') await engine.stop().catch(() => undefined)
    await this.#run
  }

  #start(busy: 'one' | 'many', work: () => Promise<void>): Promise<void> {
    if (this.state.busy) return this.#run ?? Promise.resolve()
    this.set({ busy, stopping: false, error: undefined, said: '' })
    const lock = `sotto.classify.${crypto.getRandomValues(new Uint32Array(1))[0]}`
    this.#run = locked(lock, () => this.#guarded(work))
    return this.#run
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      const cancelled = new Promise<void>((resolve) => {
        this.#cancel = resolve
      })
      await Promise.race([engine.ready(), cancelled])
      if (!this.state.stopping) await work()
    } catch (reason) {
      this.set({ error: OwnerError.from(reason) })
    } finally {
      const { batch, busy, stopping } = this.state
      const said =
        busy === 'many' && batch && stopping && !isComplete(batch) ? t('said.cancelled') : this.state.said
      this.set({ busy: undefined, stopping: false, said })
      engine.prepare()
    }
  }

  #add(row: number, result: Answer): void {
    const { batch } = this.state
    if (!batch) return
    const next = withResult(batch, row, result)
    if (next === batch) return
    const now = performance.now()
    const isDue = now - this.#saidAt >= sayEvery
    if (isDue) this.#saidAt = now
    const progress = t('said.progress', { done: next.results.length, n: next.table.rows.length })
    this.set({ batch: next, said: isDue ? progress : this.state.said })
  }
}

/** A result for a screen reader. */
function spoken({ label, probabilities, scores, entities }: Classification): string {
  if (entities) return t('said.entities', { n: entities.length, label })
  const score = scores?.find((each) => each.label === label)
  if (score) return t('said.result', { label, share: decimal(score.score, 3) })
  const top = probabilities.find((each) => each.label === label)
  return top ? t('said.result', { label, share: percent(top.probability) }) : `${label}.`
}

export const classifier = new Classifier()
