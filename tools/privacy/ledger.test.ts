import * as fs from 'node:fs'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { PrivacyLedger, readLedger } from './ledger.ts'
import type { LedgerError } from './ledger-file.ts'
import { prvEpsilonOf } from './prv.ts'
import { rdpEpsilonOf } from './rdp.ts'

vi.mock('node:fs', { spy: true })

const directory = mkdtempSync(join(tmpdir(), 'ledger-'))
afterAll(() => rmSync(directory, { recursive: true }))

let path = ''
let files = 0
beforeEach(() => {
  path = join(directory, `${files++}.jsonl`)
  vi.clearAllMocks()
})

const identity = { dataset: 'd1', model: 'm1' }
const step = { sigma: 0.8, q: 0.03, clip: 1, delta: 1e-6, examples: 1000 }

/** A ledger with this many steps, closed. */
function written(steps: number): string {
  const ledger = PrivacyLedger.open(path, identity)
  for (let i = 0; i < steps; i++) ledger.record(step)
  ledger.close()
  return readFileSync(path, 'utf8')
}

const stepsAfterReopening = () => {
  const ledger = PrivacyLedger.open(path, identity)
  const { steps } = ledger
  ledger.close()
  return steps
}

const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return (error as LedgerError).code
  }
}

describe('counting', () => {
  it('goes on over runs, and states epsilon by both accountants', () => {
    written(3)
    const ledger = PrivacyLedger.open(path, identity)
    expect(ledger.record(step)).toBe(4)
    expect(ledger.record({ ...step, sigma: 1.1 })).toBe(5)
    expect(ledger.segments.map(({ sigma, steps }) => [sigma, steps])).toEqual([
      [0.8, 4],
      [1.1, 1],
    ])
    const spent = [
      { sigma: 0.8, q: 0.03, steps: 4 },
      { sigma: 1.1, q: 0.03, steps: 1 },
    ]
    expect(ledger.rdpEpsilon(1e-6)).toBe(rdpEpsilonOf(spent, 1e-6))
    expect(ledger.prvEpsilon(1e-6, 0.1)).toEqual(prvEpsilonOf(spent, { delta: 1e-6, epsilonError: 0.1 }))
    expect(ledger.prvEpsilon(1e-6).upper).toBeLessThan(ledger.rdpEpsilon(1e-6))
    ledger.close()
    expect(readLedger(path)).toEqual({ identity, segments: ledger.segments, steps: 5 })
  })

  it('only ever appends', () => {
    const before = written(2)
    const ledger = PrivacyLedger.open(path, identity)
    ledger.record(step)
    expect(readFileSync(path, 'utf8').startsWith(before)).toBe(true)
    ledger.close()
  })

  it('has nothing spent at the start', () => {
    written(0)
    expect(readLedger(path).steps).toBe(0)
    const ledger = PrivacyLedger.open(path, identity)
    expect(ledger.rdpEpsilon(1e-6)).toBe(0)
    ledger.close()
  })
})

describe('crashes', () => {
  it('between record and noise: the step counts', () => {
    const ledger = PrivacyLedger.open(path, identity)
    ledger.record(step)
    // The process ends here: nothing is closed, no noise was drawn.
    expect(stepsAfterReopening()).toBe(1)
    ledger.close()
  })

  it('at every byte of the file: never a step too few, at most one too many', () => {
    const text = written(3)
    const header = text.indexOf('\n') + 1
    const ends = [...text.matchAll(/\{"step":\d\}/g)].map(({ index, 0: line }) => index + line.length)
    for (let length = header; length <= text.length; length++) {
      writeFileSync(path, text.slice(0, length))
      // A step may have been taken only if its whole line had been flushed.
      const taken = ends.filter((end) => end < length).length
      const counted = stepsAfterReopening()
      expect(counted, `${length} bytes`).toBeGreaterThanOrEqual(taken)
      expect(counted, `${length} bytes`).toBeLessThanOrEqual(taken + 1)
    }
  })

  it('in the middle of a line: it counts as a step, and stays counted after later ones', () => {
    writeFileSync(path, written(2).slice(0, -4))
    const ledger = PrivacyLedger.open(path, identity)
    expect(ledger.steps).toBe(2)
    expect(ledger.record(step)).toBe(3)
    ledger.close()
    expect(stepsAfterReopening()).toBe(3)
    expect(readLedger(path).segments).toEqual([{ ...step, steps: 3 }])
  })

  it('lost lines are counted from the numbers of those that remain', () => {
    const lines = written(5).split('\n')
    writeFileSync(path, lines.filter((line) => !/"step":[23]\b/.test(line)).join('\n'))
    expect(stepsAfterReopening()).toBe(5)
  })

  it('a second writer is noticed before it can mix its parameters in', () => {
    const [a, b] = [PrivacyLedger.open(path, identity), PrivacyLedger.open(path, identity)]
    b.record({ ...step, sigma: 3 })
    expect(codeOf(() => a.record(step))).toBe('other-writer')
    a.close()
    b.close()
    expect(readLedger(path).segments).toEqual([{ ...step, sigma: 3, steps: 1 }])
  })
})

describe('the disk', () => {
  it('has each line before record returns', () => {
    const ledger = PrivacyLedger.open(path, identity)
    ledger.record(step)
    const order: string[] = []
    vi.mocked(fs.writeSync).mockClear()
    vi.mocked(fs.fsyncSync).mockClear()
    ledger.record(step)
    order.push(...vi.mocked(fs.writeSync).mock.results.map(() => 'write'))
    expect(order).toEqual(['write'])
    expect(vi.mocked(fs.fsyncSync)).toHaveBeenCalledTimes(1)
    expect(vi.mocked(fs.fsyncSync).mock.invocationCallOrder[0]).toBeGreaterThan(
      vi.mocked(fs.writeSync).mock.invocationCallOrder[0],
    )
    ledger.close()
  })

  it('full: record throws, so nothing is released', () => {
    const ledger = PrivacyLedger.open(path, identity)
    ledger.record(step)
    vi.mocked(fs.writeSync).mockImplementationOnce(() => 3)
    expect(() => ledger.record(step)).toThrow(/could not be written/)
    ledger.close()
  })
})

describe('refusals', () => {
  it('other data, another model', () => {
    written(1)
    expect(codeOf(() => PrivacyLedger.open(path, { ...identity, dataset: 'd2' }))).toBe('other-dataset')
    expect(codeOf(() => PrivacyLedger.open(path, { ...identity, model: 'm2' }))).toBe('other-model')
  })

  it('a ledger that lost what its checkpoint took', () => {
    expect(codeOf(() => PrivacyLedger.open(path, identity, 2))).toBe('lost-steps')
    expect(fs.existsSync(path)).toBe(false)
    written(2)
    expect(codeOf(() => PrivacyLedger.open(path, identity, 3))).toBe('lost-steps')
    const resumed = PrivacyLedger.open(path, identity, 2)
    expect(resumed.steps).toBe(2)
    resumed.close()
  })

  it('files that are none', () => {
    for (const text of ['', 'hello\n', '{"step":1}\n', written(1).slice(0, 20)]) {
      writeFileSync(path, text)
      expect(codeOf(() => PrivacyLedger.open(path, identity))).toBe('not-a-ledger')
    }
    expect(codeOf(() => readLedger(join(directory, 'absent')))).toBe('missing')
  })

  it('a step without parameters: somebody has edited the file', () => {
    written(0)
    appendFileSync(path, '{"step":1}\n')
    expect(codeOf(() => readLedger(path))).toBe('not-a-ledger')
  })

  it('parameters that cannot be accounted for, before anything is written', () => {
    const ledger = PrivacyLedger.open(path, identity)
    for (const bad of [{ sigma: 0 }, { q: 0 }, { q: 2 }, { clip: Number.NaN }, { delta: 1 }, { examples: 0 }])
      expect(codeOf(() => ledger.record({ ...step, ...bad }))).toBe('bad-parameters')
    expect(ledger.steps).toBe(0)
    ledger.close()
    expect(readLedger(path).segments).toEqual([])
  })
})
