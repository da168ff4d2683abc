import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PartiesChoice } from '../parties.ts'
import { parseInput } from './input.ts'
import { forPeople, incomplete, Run } from './run.ts'

test('a text cannot command the terminal that shows it', () => {
  const label = 'good\u001b[2J'
  const line = forPeople(
    { label, probabilities: [{ label, probability: 0.5 }], isCut: false },
    'a\u001b]0;title\u0007\r\nb \u009b31m \u202etxet\u202c 👩‍🚀 é',
  )
  expect(line).toBe(' 50.0 %  good[2J  a]0;title b 31m txet 👩‍🚀 é')
})

test('a run in which a text has no answer goes to its end, and ends with a code of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  try {
    const out = join(folder, 'out.jsonl')
    const choice = { protection: { id: 'shared' } } as PartiesChoice
    const input = parseInput(new TextEncoder().encode('{"text":"a","label":"yes"}\n{"text":"b"}'))
    const model = { name: 'm', labels: ['no', 'yes'], hash: 'h' }
    const error = { code: 'out-of-range', message: 'Noise.', advice: 'Calibrate.' }
    const run = new Run({ choice, input, out, isJson: true, hasSummary: false }, model)
    run.put(0, { error })
    run.put(1, { label: 'no', probabilities: [{ label: 'no', probability: 1 }], isCut: false })
    const ended = expect.objectContaining({ code: incomplete })
    expect(() => run.end({})).toThrow(ended)
    const lines = readFileSync(out, 'utf8').split('\n')
    expect(lines.slice(0, 2).map((line) => Object.keys(JSON.parse(line))[0])).toEqual(['error', 'label'])
    expect(() => new Run({ choice, input, out, isJson: true, hasSummary: false }, model).end({})).toThrow(
      ended,
    )
    expect(forPeople({ error }, 'a\u001b[2J')).toBe('       –  no answer (out-of-range)  a[2J')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
