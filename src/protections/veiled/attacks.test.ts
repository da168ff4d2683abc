import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  ATTACKS_FILE,
  ATTACKS_FORMAT,
  encodeReadable,
  figureInWords,
  modelFigure,
  parseAttacks,
  readerOf,
} from './attacks.ts'
import { readCloud } from './server/checkpoint.ts'

const finding = (knows: string, tokens: number, reads = true) => ({
  attack: `by ${knows}`,
  knows,
  knew: 'text',
  recovered: { tokens },
  ...(reads ? { reads: 'tokens' } : {}),
  seconds: 1,
})
const summary = (findings: unknown[]) => ({
  format: ATTACKS_FORMAT,
  model: 'm',
  group: 'bits',
  isLowerBound: true,
  findings,
})

test('the model’s own figure is the most that was read without table and weights', () => {
  const all = [
    finding('nothing', 0.2),
    finding('domain', 0.8),
    finding('domain', 0.9, false),
    finding('table', 1),
  ]
  expect(modelFigure(parseAttacks(summary(all))!)).toEqual({ tokens: 0.8, attack: 'by domain', knew: 'text' })
  expect(modelFigure(parseAttacks(summary([finding('weights', 1)]))!)).toBeUndefined()
})

test('what is no summary is none', () => {
  for (const wrong of [
    undefined,
    [],
    { ...summary([]), isLowerBound: false },
    summary([finding('other', 1)]),
  ])
    expect(parseAttacks(wrong)).toBeUndefined()
})

test('owners see which tokens of a reply a host would read', () => {
  const readable = Uint8Array.from({ length: 21 }, (_, id) => (id % 3 === 0 ? 1 : 0))
  const read = readerOf(JSON.parse(JSON.stringify(encodeReadable(readable))))
  expect(read([0, 1, 9, 18, 20, 99])).toEqual([true, false, true, true, false, false])
  for (const wrong of [
    {},
    { ...encodeReadable(readable), bits: '!' },
    { ...encodeReadable(readable), tokens: 80 },
  ])
    expect(() => readerOf(wrong)).toThrow('damaged')
})

test('a server tells what was measured of a model, if its folder has it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-figure-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const write = (file: string, value: unknown): void => writeFileSync(join(dir, file), JSON.stringify(value))
  write('veil.json', { format: 'sotto-veil/1', keyId: '0'.repeat(32), family: 'llama' })
  write('config.json', {})
  expect(readCloud(dir).figure).toBeUndefined()
  write(ATTACKS_FILE, summary([finding('domain', 0.8)]))
  const { figure } = readCloud(dir)
  expect(figureInWords(figure!)).toContain('80 %')
  write(ATTACKS_FILE, { format: 'other' })
  expect(() => readCloud(dir)).toThrow('no summary of attacks')
})
