import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readEvaluation, writeEvaluation } from './evaluation.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sotto-evaluation-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

test('is of the weights that were measured, and of no others', () => {
  expect(readEvaluation(dir, 'a')).toBeUndefined()
  writeEvaluation(dir, 'a', { accuracy: 0.8125, texts: 872 })
  expect(readEvaluation(dir, 'a')).toEqual({ accuracy: 0.8125, texts: 872 })
  expect(readEvaluation(dir, 'b')).toBeUndefined()
})

test.each([
  '{',
  '{}',
  '{"hash": "a", "accuracy": 1.5, "texts": 3}',
  '{"hash": "a", "accuracy": 1, "texts": 0}',
])('is refused as %s, in plain words', (text) => {
  writeFileSync(join(dir, 'evaluation.json'), text)
  expect(() => readEvaluation(dir, 'a')).toThrow(/sotto evaluate --keep/)
})
