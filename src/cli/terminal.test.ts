import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { forPeople } from './classify/run.ts'
import { jsonLine, print, printResult, say, status } from './terminal.ts'

const words = 'one\n\ttwo\u001b]0;title\u0007\u009b31m\u202ethree\r\u0000'

/** What `write` gets while `use` runs. */
function written(stream: NodeJS.WriteStream, use: () => void): string {
  const spy = vi.spyOn(stream, 'write').mockReturnValue(true)
  try {
    use()
    return spy.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    spy.mockRestore()
  }
}

test('a reply keeps its lines and tabs, and nothing that a terminal obeys', () => {
  expect(written(process.stdout, () => print(words))).toBe('one\n\ttwo]0;title31mthree')
})

test('an escape sequence in two pieces is none, either', () => {
  const pieces = ['\u001b', ']52;c;', 'ZXZpbA==', '\u0007', '\u009b', '2J']
  expect(written(process.stdout, () => pieces.forEach(print))).toBe(']52;c;ZXZpbA==2J')
})

test('what is said beside the result is as plain', () => {
  const said = written(process.stderr, () => say(words)).replace('\r\u001b[2K', '')
  expect(said).toBe('one\n\ttwo]0;title31mthree\n')
  expect(written(process.stderr, () => status(words))).toBe('\rone two]0;title31mthree \u001b[K')
})

test('JSON has the same value, without the characters themselves', () => {
  const line = jsonLine({ words })
  expect(line).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(JSON.parse(line)).toEqual({ words })
  const value = { words }
  expect(written(process.stdout, () => printResult(true, value, 'x'))).toBe(`${line}\n`)
})

test('labels and texts of a batch fill one line', () => {
  const result = { isCut: false, label: words, probabilities: [{ label: words, probability: 0.5 }] }
  expect(forPeople(result, words.repeat(50))).not.toMatch(/[\p{Cc}\u202e]/u)
})

test('nothing else in the command line writes to a terminal', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  const others = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file !== 'terminal.ts')
  expect(others.length).toBeGreaterThan(30)
  const direct = /std(out|err)\s*\.write|console\.|process\.std(out|err)\s*as/
  for (const file of others)
    expect(readFileSync(join(import.meta.dirname, file), 'utf8'), file).not.toMatch(direct)
})
