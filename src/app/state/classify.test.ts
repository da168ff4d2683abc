import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Answer,
  type Classification,
  type ClassifyInput,
  type OnEvent,
  OwnerError,
} from '../../owner/api.ts'
import type { Stats } from '../../owner/session-stats.ts'
import type { Classifier } from './classify.ts'
import { answerOf, type Batch } from './classify-batch.ts'

/** Stands in for the page's side of the engine; the tests decide when a result comes. */
const engine = vi.hoisted(() => {
  const listeners = new Set<() => void>()
  return {
    state: { phase: 'open', stats: undefined, model: undefined } as Record<string, unknown>,
    task: 'classify',
    classify: (_inputs: ClassifyInput[], _onEvent: OnEvent): Promise<Answer[]> => Promise.resolve([]),
    ready: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    prepare: () => undefined,
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    change(patch: Record<string, unknown>) {
      Object.assign(this.state, patch)
      for (const listener of listeners) listener()
    },
  }
})
vi.mock('./engine.ts', () => ({ engine }))

const result = (label: string): Classification => ({
  label,
  probabilities: [
    { label: 'no', probability: 0.1 },
    { label, probability: 0.9 },
  ],
  isCut: false,
})

const batchOf = (...texts: string[]): Batch => ({
  name: 'pasted',
  table: { columns: ['text'], rows: texts.map((text) => [text]) },
  columns: { text: 0 },
  results: [],
})

let classifier: Classifier
beforeEach(async () => {
  vi.resetModules()
  vi.stubGlobal('navigator', {})
  engine.state = { phase: 'open', model: { hash: '1', task: 'classify' } }
  const { Classifier } = await import('./classify.ts')
  classifier = new Classifier()
})

/** As the engine answers: every label as an event, then all of them. */
async function answer(inputs: ClassifyInput[], onEvent: OnEvent): Promise<Answer[]> {
  const results = inputs.map(({ text }) => result(text))
  for (const [index, each] of results.entries()) onEvent({ type: 'classified', index, result: each })
  return results
}

const labels = () => classifier.state.batch?.results.map((each) => answerOf(each)?.label ?? null)

describe('one text', () => {
  it('gets its label, what it took, and is said aloud', async () => {
    engine.classify = async (inputs) => {
      expect(inputs).toEqual([{ text: 'a' }])
      engine.change({
        stats: { tokens: 16, hops: 12, ownerUpBytes: 5, serverSample: [7, 8] } as Partial<Stats>,
      })
      return [result('yes')]
    }
    await classifier.one({ text: 'a' })
    expect(classifier.state).toMatchObject({ busy: undefined, said: 'yes, 90.0%.' })
    expect(classifier.state.one).toMatchObject({
      result: { label: 'yes' },
      traffic: { hops: 12, ownerUp: 5 },
      wire: [7, 8],
    })
    expect(classifier.state.traffic.hops).toBe(12)
  })

  it('leaves its error to be shown', async () => {
    engine.classify = () => Promise.reject(new OwnerError('lost', 'The link was lost.', 'Again.'))
    await classifier.one({ text: 'a' })
    expect(classifier.state).toMatchObject({ busy: undefined, one: undefined, error: { code: 'lost' } })
  })
})

describe('a batch', () => {
  it('keeps what came before an error, and goes on with the rest', async () => {
    engine.classify = async (inputs, onEvent) => {
      onEvent({ type: 'classified', index: 0, result: result(inputs[0].text) })
      throw new OwnerError('lost', 'The link was lost.')
    }
    classifier.load(batchOf('a', '', 'b', 'c'))
    await classifier.many()
    expect(labels()).toEqual(['a'])
    expect(classifier.state.error?.code).toBe('lost')
    engine.classify = async (inputs, onEvent) => {
      expect(inputs.map(({ text }) => text)).toEqual(['b', 'c'])
      return answer(inputs, onEvent)
    }
    await classifier.many()
    expect(labels()).toEqual(['a', null, 'b', 'c'])
    expect(classifier.state).toMatchObject({ error: undefined, said: 'Done: 4 rows.' })
  })

  it('says of a row that it has no answer, and goes on', async () => {
    const error = { code: 'out-of-range', message: 'Noise.', advice: 'Calibrate.' }
    engine.classify = async (inputs, onEvent) => {
      onEvent({ type: 'unanswered', index: 0, error })
      onEvent({ type: 'classified', index: 1, result: result(inputs[1].text) })
      return [{ error }, result(inputs[1].text)]
    }
    classifier.load(batchOf('a', 'b'))
    await classifier.many()
    expect(classifier.state.batch?.results[0]).toEqual({ error })
    expect(classifier.state).toMatchObject({ error: undefined })
    expect(classifier.state.said).toBe('Done: 2 rows. 1 of them without an answer.')
    engine.classify = async () => [{ error }]
    await classifier.one({ text: 'a' })
    expect(classifier.state).toMatchObject({ one: undefined, error: { code: 'out-of-range' } })
  })

  it('keeps finished rows when it is cancelled', async () => {
    let stopped: () => void = () => undefined
    engine.stop = async () => stopped()
    engine.classify = (_, onEvent) =>
      new Promise((resolve) => {
        onEvent({ type: 'classified', index: 0, result: result('yes') })
        // The second text is being read when the batch is stopped.
        stopped = () => {
          onEvent({ type: 'classified', index: 1, result: result('yes') })
          resolve([result('yes'), result('yes')])
        }
      })
    classifier.load(batchOf('a', 'b', 'c', ''))
    const run = classifier.many()
    await vi.waitFor(() => expect(labels()).toEqual(['yes']))
    expect(classifier.state.busy).toBe('many')
    await classifier.stop()
    await run
    expect(labels()).toEqual(['yes', 'yes'])
    expect(classifier.state).toMatchObject({ busy: undefined, stopping: false, said: 'Cancelled.' })
  })

  it('says whose labels it has, and starts anew with another model', async () => {
    engine.classify = answer
    classifier.load(batchOf('a'))
    await classifier.many()
    await classifier.one({ text: 'b' })
    engine.change({ model: { hash: '2', task: 'classify', pairs: true } })
    expect(classifier.state.one).toBeUndefined()
    await classifier.many()
    // That one takes pairs, so what there is stays as it is.
    expect(classifier.state.batch).toMatchObject({ model: { hash: '1' }, results: [{ label: 'a' }] })
    engine.change({ model: { hash: '3', task: 'classify' } })
    engine.classify = (_, onEvent) => answer([{ text: 'x' }], onEvent)
    await classifier.many()
    expect(classifier.state.batch).toMatchObject({ model: { hash: '3' }, results: [{ label: 'x' }] })
  })
})
