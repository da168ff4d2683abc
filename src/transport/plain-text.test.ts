import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainJson, plainLine, plainText } from './plain-text.ts'

const nasty = [
  '\u001b[31mred',
  '\u001b]0;title\u0007',
  '\u001b]52;c;ZXZpbA==\u001b\\',
  '\u009b31m',
  '\u009d0;title\u009c',
  'over\rwritten',
  'back\b\b\b\b',
  'bell\u0007',
  'del\u007f',
  'nul\u0000',
  '\u202egnp.exe',
  '\u2066isolated\u2069',
  'line\u2028separated',
]
const control = /[^\P{Cc}\n\t]|[\u2028-\u202e\u2066-\u2069]/u

test.each(nasty)('%j loses what is a command', (text) => {
  expect(plainText(text)).not.toMatch(control)
  expect(plainLine(text)).not.toMatch(/\p{Cc}/u)
  const json = plainJson(JSON.stringify({ text }))
  expect(json).not.toMatch(control)
  expect(JSON.parse(json)).toEqual({ text })
})

test('what people write stays', () => {
  const text = 'Zwei Zeilen,\n\tein Tab: “ħ” שלום مرحبا 👩‍👩‍👧 é\u200f\u00a0–'
  expect(plainText(text)).toBe(text)
})

test('a line is one, and not longer than it may be', () => {
  expect(plainLine('a\n\n  b\tc')).toBe('a b c')
  expect([...plainLine('👩'.repeat(400), 300)]).toHaveLength(300)
  expect(plainLine('x'.repeat(300))).toHaveLength(300)
})

test('any text, in any pieces', () => {
  const text = fc.string({ unit: 'binary', maxLength: 50 })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(plainText(a) + plainText(b)).toBe(plainText(a + b))
      expect(plainText(a)).not.toMatch(control)
      expect(plainLine(a, 10).length).toBeLessThanOrEqual(20)
      expect(JSON.parse(plainJson(JSON.stringify(a)))).toBe(a)
    }),
  )
})
