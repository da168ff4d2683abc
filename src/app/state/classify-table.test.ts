import { describe, expect, it } from 'vitest'
import { TableError } from '../../texts/error.ts'
import { fromFile, fromLines, fromSheet, guessColumns, most, tableOf } from './classify-table.ts'

const file = (name: string, text: string) => fromFile(name, new TextEncoder().encode(text).buffer)
const table = (name: string, text: string) => tableOf(file(name, text))

describe('pasted lines', () => {
  it('are one text each, blank ones left out', () => {
    expect(tableOf(fromLines('one, two\n\n  \r\n"three"\r\n', false))).toEqual({
      columns: ['text'],
      rows: [['one, two'], ['"three"']],
    })
    expect(() => fromLines(' \n', false)).toThrow(TableError)
  })

  it('are two texts each for a model of pairs', () => {
    expect(fromLines('a\tb\nc\td', true).records).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    expect(() => fromLines('a\tb\nc', true)).toThrow(/Line 2 has 1 text\./)
  })
})

describe('a file', () => {
  it('has names in its first row where they look like names', () => {
    expect(table('a.csv', 'id,review\n1,Fine.\n2,Bad.')).toEqual({
      columns: ['id', 'review'],
      rows: [
        ['1', 'Fine.'],
        ['2', 'Bad.'],
      ],
    })
    expect(table('a.csv', 'stars,what they said\n1,Fine.\n2,Bad.').columns).toEqual([
      'stars',
      'what they said',
    ])
    expect(table('a.csv', 'A fine film.,1\nA bad film.,0').columns).toEqual(['column 1', 'column 2'])
    expect(table('a.csv', 'A fine film.\nA bad film.')).toMatchObject({
      columns: ['text'],
      rows: { length: 2 },
    })
  })

  it('has rows of one length', () => {
    const { notes } = file('a.csv', 'text,x\na\nb,c')
    expect(notes).toEqual([expect.stringMatching(/empty cells: line 2\.$/)])
    expect(table('a.csv', 'text,x\na\nb,c,,').rows).toEqual([
      ['a', ''],
      ['b', 'c'],
    ])
    expect(() => file('a.csv', 'text,x\n"a\nb",c\nOh, no, never,1')).toThrow(
      /Line 4 has 4 cells, the first one 2/,
    )
    expect(() => file('a.csv', `text\n${'a\n'.repeat(49_000)}x${',y'.repeat(5000)}`)).not.toThrow()
  })

  it('has its texts whole where there is one column', () => {
    const texts = ['I loved it, but the end was weak', 'Bad', 'Oh, no; never again']
    for (const [name, head] of [
      ['a.csv', 'text\n'],
      ['a.txt', ''],
    ])
      expect(table(name, `${head}${texts.join('\n')}`)).toEqual({
        columns: ['text'],
        rows: texts.map((text) => [text]),
      })
    expect(() => file('a.csv', texts.join('\n'))).toThrow(/Line 2 has 1 cell, the first one 2.*\.txt/)
    expect(table('a.txt', 'text\tlabel\na\t1').columns).toEqual(['text', 'label'])
  })

  it('needs a text', () => {
    expect(() => file('a.csv', 'text,label\n')).toThrow(/no rows/)
    expect(() => file('a.csv', 'sep=;\n')).toThrow(/is empty/)
    expect(() => file('a.json', '[]')).toThrow(/no texts/)
  })

  it('may be JSON by columns, or have its records in a field', () => {
    const expected = {
      columns: ['text', 'label'],
      rows: [
        ['a', '1'],
        ['b', '0'],
      ],
    }
    const records = [
      { text: 'a', label: 1 },
      { text: 'b', label: 0 },
    ]
    for (const value of [
      { text: ['a', 'b'], label: [1, 0] },
      { text: { 0: 'a', 1: 'b' }, label: { 0: 1, 1: 0 } },
      { data: records },
      { rows: records.map((row, row_idx) => ({ row_idx, row })), features: [] },
      { columns: ['text', 'label'], index: [0, 1], data: records.map(Object.values) },
    ])
      expect(table('a.json', JSON.stringify(value, null, 1)), JSON.stringify(value)).toEqual(expected)
    expect(table('a.json', '{"text":["a","b"]}').rows).toEqual([['a'], ['b']])
    expect(table('a.jsonl', '{"text":"a"}').rows).toEqual([['a']])
    expect(() => file('a.json', '{"text":["a"],"label":[]}')).toThrow(/“label” has 0 values/)
  })

  it('may be JSON lines, or a JSON array, with columns in order of appearance', () => {
    const lines = '{"text":"a","n":1}\n\n{"text":"b","more":["x"],"none":null}\n'
    const expected = {
      columns: ['text', 'n', 'more', 'none'],
      rows: [
        ['a', '1', '', ''],
        ['b', '', '["x"]', ''],
      ],
    }
    expect(table('a.jsonl', lines)).toEqual(expected)
    expect(table('a.json', '[{"text":"a","n":1},{"text":"b","more":["x"],"none":null}]')).toEqual(expected)
    expect(table('a.jsonl', '"a"\n"b"')).toEqual({ columns: ['text'], rows: [['a'], ['b']] })
  })

  it('says which line is wrong', () => {
    expect(() => file('a.jsonl', '{"text":"a"}\n{"text":')).toThrow(/Line 2 isn’t JSON/)
    expect(() => file('a.jsonl', '{"text":"a"}\n\n7')).toThrow(/Line 3 is neither/)
    expect(() => file('a.json', '[{"text":"a"}')).toThrow(/JSON array/)
    expect(() => file('a.csv', ' \n')).toThrow(/is empty/)
  })

  it('may be in another encoding', () => {
    const latin = Uint8Array.from([...'text\ncaf'].map((c) => c.charCodeAt(0)).concat(0xe9))
    expect(tableOf(fromFile('a.csv', latin.buffer)).rows).toEqual([['café']])
    const wide = new Uint8Array(
      Uint16Array.from([0xfeff, ...[...'text\ncaf\u00e9'].map((c) => c.charCodeAt(0))]).buffer,
    )
    expect(tableOf(fromFile('a.csv', wide.buffer)).rows).toEqual([['café']])
    expect(table('a.csv', '\ufefftext,id\na,1').columns).toEqual(['text', 'id'])
  })

  it('has limits, and a way out', () => {
    expect(() => fromFile('a.csv', new ArrayBuffer(most.bytes + 1))).toThrow(/sotto classify/)
    expect(() => file('a.csv', 'a\n'.repeat(most.rows + 2))).toThrow(/sotto classify/)
  })
})

it('takes a sheet’s rows, those without a text left out', () => {
  const source = fromSheet('a.xlsx', [
    ['text', 'stars'],
    ['fine', '4'],
    ['', ' '],
  ])
  expect(tableOf(source)).toEqual({ columns: ['text', 'stars'], rows: [['fine', '4']] })
  expect(() => fromSheet('a.xlsx', [['', '']])).toThrow(/first sheet of a.xlsx is empty/)
})

describe('the text’s column', () => {
  it('is one with a usual name, else the one with the longest texts', () => {
    expect(guessColumns(table('a.csv', 'label,sentence\nx,y'), false)).toEqual({ text: 1 })
    expect(guessColumns(table('a.csv', '1,short,a much longer text\n2,s,another long text'), false)).toEqual({
      text: 2,
    })
  })

  it('has a second one for pairs', () => {
    expect(guessColumns(table('a.tsv', 'index\tquestion\tsentence\tlabel\n0\tWhy?\tSo.\t1'), true)).toEqual({
      text: 1,
      pair: 2,
    })
    expect(guessColumns(table('a.jsonl', '{"pair":"b","text":"a"}'), true)).toEqual({ text: 1, pair: 0 })
    expect(guessColumns(table('a.csv', '1,A long first text,and a second one'), true)).toEqual({
      text: 1,
      pair: 2,
    })
  })
})
