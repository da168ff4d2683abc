import { expect, test } from 'vitest'
import { command } from './command.ts'
import { Exit, UsageError } from './errors.ts'
import { fileEnding, identityKey, list, real, repeated, text, webOrigin, whole } from './values.ts'

const declared = () =>
  command('try', 'Try it.')
    .option('--key <key>', 'a key')
    .option('--port <n>', 'a port', whole(-5, 10))
    .option('--name <name>', 'names', repeated(text))
const parse = (...words: string[]) => declared().parse(words, { from: 'user' }).opts()

test('a value may begin with a dash, an option may not be one', () => {
  expect(parse('--key', '-abc', '--port', '-1')).toEqual({ key: '-abc', port: -1 })
  expect(parse('--key', '--x_y')).toEqual({ key: '--x_y' })
  expect(parse('--key=--port')).toEqual({ key: '--port' })
  for (const next of ['--port', '--port=1', '--help']) {
    expect(() => parse('--key', next, '1')).toThrow(UsageError)
    expect(() => parse('--key', next, '1')).toThrow("'--key <key>' argument missing")
  }
})

test('what is wrong is named, and where help is', () => {
  expect(() => parse('--prt', '1')).toThrow("unknown option '--prt'\n(Did you mean --port?)")
  expect(() => parse('--port', '11')).toThrow(
    "option '--port <n>' argument '11' is invalid. It must be a whole number from -5 to 10.",
  )
  expect(() => parse('extra')).toThrow('too many arguments')
  try {
    parse('extra')
    expect.unreachable()
  } catch (error) {
    expect((error as UsageError).advice).toBe('See sotto try --help.')
  }
})

test('an option that may be repeated keeps all its values', () => {
  expect(parse('--name', 'a', '--name', 'b').name).toEqual(['a', 'b'])
  expect(parse().name).toBeUndefined()
})

test('numbers have bounds', () => {
  expect(whole()('12')).toBe(12)
  expect(real(0, 1)('0.5')).toBe(0.5)
  for (const bad of ['', ' ', 'x', '1.5', '-1', '1e999', 'Infinity', 'NaN'])
    expect(() => whole()(bad), bad).toThrow('whole number from 0.')
  for (const bad of ['', 'x', '-0.1', '1.01', 'NaN'])
    expect(() => real(0, 1)(bad), bad).toThrow('number from 0 to 1.')
  expect(list(whole(1))('1,4,16')).toEqual([1, 4, 16])
  expect(() => list(whole(1))('1,,2')).toThrow('whole number')
})

test('other values', () => {
  expect(identityKey('A'.repeat(43))).toBe('A'.repeat(43))
  for (const bad of ['', 'A'.repeat(42), `${'A'.repeat(42)}!`])
    expect(() => identityKey(bad)).toThrow('43 characters of base64url')
  expect(list(webOrigin)('https://a.example,http://localhost:1')).toEqual([
    'https://a.example',
    'http://localhost:1',
  ])
  for (const bad of ['*', 'https://*.a.example', 'a.example', 'https://a.example/', 'https://a.example;x'])
    expect(() => webOrigin(bad), bad).toThrow('https://shop.example')
  expect(fileEnding('.html', '.json')('a.json')).toBe('a.json')
  expect(() => fileEnding('.html', '.json')('a.txt')).toThrow('.html or .json')
})

test('help is no error', () => {
  const quiet = declared().configureOutput({ writeOut: () => undefined, outputError: () => undefined })
  try {
    quiet.parse(['--help'], { from: 'user' })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(Exit)
    expect((error as Exit).code).toBe(0)
  }
})
