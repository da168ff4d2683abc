import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Classification } from '../../owner/api.ts'
import { fileOutput, resultLine } from './output.ts'

const origin = { input: 'i', model: 'm', protection: 'shared' }
const result = (label: string): Classification => ({
  label,
  probabilities: [
    { label, probability: 0.123456789 },
    { label: 'b\n"', probability: 1e-9 },
  ],
  isCut: false,
})

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  file = join(folder, 'out.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a result is one line, whatever its labels are', () => {
  expect(resultLine(result('a'))).toBe('{"label":"a","probabilities":{"a":0.1234568,"b\\n\\"":1e-9}}')
  const line = resultLine({
    label: '__proto__',
    probabilities: [{ label: '__proto__', probability: 1 }],
    isCut: false,
  })
  expect(line).toBe('{"label":"__proto__","probabilities":{"__proto__":1}}')
})

test('scores and entities have lines of their own', () => {
  const scores = [{ label: 'LABEL_0', score: -3.25 }]
  expect(resultLine({ label: 'LABEL_0', probabilities: [], scores, isCut: false })).toBe(
    '{"label":"LABEL_0","scores":{"LABEL_0":-3.25}}',
  )
  const ada = { start: 4, end: 7, label: 'PER', probability: 0.5 }
  expect(
    resultLine({
      label: 'PER',
      probabilities: [],
      entities: [ada],
      words: [{ ...ada, label: 'B-PER' }],
      isCut: false,
    }),
  ).toBe(
    '{"label":"PER","entities":[{"start":4,"end":7,"label":"PER","probability":0.5}],"words":[{"start":4,"end":7,"label":"B-PER","probability":0.5}]}',
  )
})

test('a text without an answer says why, and is not asked again', () => {
  const error = { code: 'out-of-range', message: 'Noise.', advice: 'Calibrate.' }
  const first = fileOutput(file, origin, 3)
  first.write({ error })
  first.write(result('two'))
  first.close()
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(JSON.stringify({ error }))
  const next = fileOutput(file, origin, 3)
  expect(next.labels).toEqual([null, 'two'])
  next.close()
})

test('an interrupted file goes on behind its last complete line', () => {
  const first = fileOutput(file, origin, 3)
  expect(first.labels).toEqual([])
  first.write(result('one'))
  first.write(result('zwölf'))
  first.close()
  const whole = readFileSync(file)
  for (const torn of ['', '{"label":"th', '\0\0\0\n{"label":"x"}\n']) {
    writeFileSync(file, Buffer.concat([whole, Buffer.from(torn)]))
    const next = fileOutput(file, origin, 3)
    expect(next.labels).toEqual(['one', 'zwölf'])
    next.write(result('three'))
    next.close()
    expect(readFileSync(file, 'utf8')).toBe(`${whole}${resultLine(result('three'))}\n`)
  }
})

test('a file of something else is left alone', () => {
  writeFileSync(file, 'precious\n')
  expect(() => fileOutput(file, origin, 3)).toThrow(/not made by sotto classify/)
  expect(readFileSync(file, 'utf8')).toBe('precious\n')
  rmSync(file)
  const output = fileOutput(file, origin, 3)
  output.write(result('one'))
  output.close()
  const before = readFileSync(file)
  for (const [change, what] of [
    [{ input: 'x' }, 'another input'],
    [{ model: 'x' }, 'another model'],
    [{ protection: 'clear' }, 'another --protection'],
  ] as const)
    expect(() => fileOutput(file, { ...origin, ...change }, 3)).toThrow(what)
  expect(() => fileOutput(file, origin, 0)).toThrow(/more lines/)
  writeFileSync(`${file}.origin.json`, '{')
  expect(() => fileOutput(file, origin, 3)).toThrow(/cannot be read/)
  expect(readFileSync(file)).toEqual(before)
})
