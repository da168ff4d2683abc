import { describe, expect, test } from 'vitest'
import { checkPairs, InputError, parseInput, score } from './input.ts'

const parse = (text: string) => parseInput(new TextEncoder().encode(text))

describe('the input', () => {
  test('is one object a line', () => {
    const { lines, labels, sha256 } = parse('{"text":"a","label":1}\r\n{"text":"","pair":"b","x":[]}\n\n')
    expect(lines).toEqual([{ text: 'a' }, { text: '', pair: 'b' }])
    expect(labels).toEqual([1, undefined])
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(parse('\ufeff{"text":"caf\u00e9"}').lines).toEqual([{ text: 'caf\u00e9' }])
  })

  test.each([
    ['{"text":"a"}\n{"text":', 'Line 2 of the input is not JSON'],
    ['{"text":"a"}\n\n{"text":"b"}', 'Line 2 of the input is empty'],
    ['"a"', 'Line 1 of the input is not an object'],
    ['{"sentence":"a"}', 'Line 1 of the input has no "text"'],
    ['{"text":5}', 'has no "text" that is a string'],
    ['{"text":"a","pair":null}', 'has a "pair" that is not'],
    ['\n', 'is empty'],
  ])('%j explains itself', (text, message) => {
    expect(() => parse(text)).toThrow(InputError)
    expect(() => parse(text)).toThrow(message)
  })

  test('is UTF-8', () => {
    expect(() => parseInput(Uint8Array.of(0xff, 0x22))).toThrow(/UTF-8/)
  })

  test('has pairs where the model takes pairs, and nowhere else', () => {
    checkPairs([{ text: 'a' }], false)
    checkPairs([{ text: 'a', pair: 'b' }], true)
    expect(() => checkPairs([{ text: 'a', pair: 'b' }, { text: 'a' }], true)).toThrow(/Line 2 .* no "pair"/)
    expect(() => checkPairs([{ text: 'a', pair: 'b' }], false)).toThrow(/Line 1 .* reads one text/)
  })
})

test('the score takes names, and numbers as places in the list of labels', () => {
  const labels = ['no', 'yes']
  expect(
    score(
      ['yes', 1, 0, undefined, 'other', '0', '', -1, '-1'],
      Array(9).fill('yes').fill('no', 3, 6),
      labels,
    ),
  ).toEqual({ labelled: 4, correct: 3, unknown: new Map([['other', 1]]) })
  expect(score(['yes', 'yes'], [null, 'yes'], labels)).toMatchObject({ labelled: 1, correct: 1 })
  // Labels that are digits themselves mean what they say.
  expect(score([1, '0'], ['1', '1'], ['1', '0'])).toEqual({
    labelled: 2,
    correct: 1,
    unknown: new Map(),
  })
})
