import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PredictableRandom } from '../../src/model/random.ts'
import { smallTask } from '../../test/support/classify-corpus.ts'
import { PrivacyLedger, readLedger } from '../privacy/ledger.ts'
import { LedgerError } from '../privacy/ledger-file.ts'
import type { RandomSource } from '../privacy/noise.ts'
import { rdpEpsilon } from '../privacy/rdp.ts'
import { planPrivacy } from './private-step.ts'
import { fineTune, type TrainerOptions } from './trainer.ts'

// Planned once: the search for the noise takes a second.
const plan = planPrivacy(
  {
    epsilon: 8,
    delta: 1e-5,
    clip: 1,
    accountant: 'rdp',
    optimizer: 'dp-adambc',
    ledger: '',
    identity: { dataset: 'data', model: 'model' },
  },
  48,
  12,
  3,
)

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sotto-finetune-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function options(name: string, isPrivate: boolean, over: Partial<TrainerOptions> = {}): TrainerOptions {
  const out = join(dir, name)
  const task = smallTask(isPrivate ? 'ffa-lora' : 'full', 0.2)
  return {
    task,
    out,
    run: 'run',
    epochs: 3,
    batch: 12,
    learningRate: 3e-3,
    weightDecay: 0.01,
    seed: 4,
    averageEpochs: 1,
    ...(isPrivate && { privacy: { ...plan, ledger: join(dir, `${name}.ledger`) } }),
    ...over,
  }
}

/** Predictable bytes; the same object goes on where it stopped, as a saved generator would. */
function predictable(): RandomSource {
  const random = new PredictableRandom(77)
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256)
  }
}

it.each([false, true])('an interrupted run ends with the same weights (private: %s)', async (isPrivate) => {
  const whole = await fineTune(options('whole', isPrivate, { source: predictable() }))
  const source = predictable()
  const first = await fineTune(options('parts', isPrivate, { source, maxSteps: 5 }))
  expect(first.finished).toBe(false)
  const second = await fineTune(options('parts', isPrivate, { source, resume: true }))
  expect(second.finished).toBe(true)
  expect([...second.values.keys()]).toEqual([...whole.values.keys()])
  for (const [name, values] of whole.values) expect(second.values.get(name)).toEqual(values)
  const plain = (reports: object[]) => reports.map((report) => ({ ...report, seconds: 0 }))
  expect(plain(second.state.reports)).toEqual(plain(whole.state.reports))
})

it('learns, and reports once an epoch', async () => {
  const { state } = await fineTune(options('learn', false, { epochs: 12, learningRate: 1e-2 }))
  expect(state.reports.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  expect(state.reports[11].trainLoss).toBeLessThan(state.reports[0].trainLoss / 2)
  expect(state.reports[0].epsilon).toBeUndefined()
})

it('spends what was planned, and states it after each epoch', async () => {
  const o = options('spend', true)
  const { state } = await fineTune(o)
  const { sigma, q, steps, delta } = o.privacy!
  expect(steps).toBe(12)
  expect(state.reports.at(-1)!.epsilon).toBeCloseTo(rdpEpsilon({ sigma, q, steps, delta }), 9)
  expect(state.reports.at(-1)!.epsilon).toBeLessThanOrEqual(8)
  expect(state.reports[0].epsilon).toBeCloseTo(rdpEpsilon({ sigma, q, steps: 4, delta }), 9)
  expect(readLedger(o.privacy!.ledger)).toMatchObject({ steps: 12 })
})

it('counts a step whose result was lost, and takes one fewer', async () => {
  const o = options('lost', true, { maxSteps: 5 })
  await fineTune(o)
  // What a crash between the ledger's line and the next checkpoint leaves behind.
  const ledger = PrivacyLedger.open(o.privacy!.ledger, o.privacy!.identity)
  ledger.record(o.privacy!)
  ledger.close()
  const end = await fineTune(options('lost', true, { resume: true }))
  expect(end.finished).toBe(true)
  expect(end.state.step).toBe(11)
  expect(readLedger(o.privacy!.ledger).steps).toBe(12)
  expect(end.state.reports.at(-1)!.epsilon).toBeLessThanOrEqual(8)
})

it('refuses to resume without its ledger, and with other options', async () => {
  const o = options('refuse', true, { maxSteps: 2 })
  await fineTune(o)
  await expect(fineTune({ ...options('refuse', true), run: 'other', resume: true })).rejects.toThrow(
    'other data',
  )
  rmSync(o.privacy!.ledger)
  await expect(fineTune(options('refuse', true, { resume: true }))).rejects.toThrow(LedgerError)
})

it('refuses a ledger with steps of other noise, or with all of its steps', async () => {
  const o = options('spent', true)
  await fineTune(o)
  const { ledger } = o.privacy!
  const again = options('again', true)
  await expect(fineTune({ ...again, privacy: { ...again.privacy!, ledger } })).rejects.toMatchObject({
    code: 'spent',
  })
  const other = { ...plan, ledger, sigma: 2 * plan.sigma, steps: 100 }
  await expect(fineTune({ ...options('other', true), privacy: other })).rejects.toThrow('other noise')
  expect(readLedger(ledger).steps).toBe(12)
})

/** The first number that each step's dropout would draw. */
async function dropouts(name: string, isPrivate: boolean): Promise<number[]> {
  const o = options(name, isPrivate, { maxSteps: 4 })
  const drawn: number[] = []
  const gradient: typeof o.task.gradient = (examples, how) => {
    drawn.push(how.random.next())
    return o.task.gradient(examples, how)
  }
  const task = Object.assign(Object.create(o.task) as typeof o.task, { gradient })
  Object.defineProperties(task, {
    examples: { value: o.task.examples },
    evaluate: { value: (values: Map<string, Float32Array>) => o.task.evaluate(values) },
  })
  await fineTune({ ...o, task })
  return drawn
}

it('nobody can know the dropout of a private run beforehand', async () => {
  const [one, two] = [await dropouts('one', true), await dropouts('two', true)]
  expect(one).toHaveLength(4)
  expect(one.filter((value) => two.includes(value))).toEqual([])
  expect(await dropouts('three', false)).toEqual(await dropouts('four', false))
})
