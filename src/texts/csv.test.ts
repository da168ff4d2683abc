import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as csv from './csv.ts'
import { formatCsv, guarded, separatorOf } from './csv.ts'
import { TableError } from './error.ts'

const parseCsv = (text: string, separator?: string) => csv.parseCsv(text, separator).map(({ cells }) => cells)

describe('reading', () => {
  it('keeps separators, quotes and line breaks inside quotes', () => {
    expect(parseCsv('a,b\r\n"1,5","he said ""no""\r\nand left"\r\n')).toEqual([
      ['a', 'b'],
      ['1,5', 'he said "no"\r\nand left'],
    ])
  })

  it('takes quotes in the middle of a field as they are', () => {
    expect(parseCsv('a 5" nail,b "c"\n5",6"\r\n')).toEqual([
      ['a 5" nail', 'b "c"'],
      ['5"', '6"'],
    ])
  })

  it('ends lines as Windows, Unix and old Macs do, the last one or not', () => {
    for (const text of ['a,b\r\nc,d', 'a,b\nc,d\n', 'a,b\rc,d\r', 'a,b\n\n\nc,d'])
      expect(parseCsv(text)).toEqual([
        ['a', 'b'],
        ['c', 'd'],
      ])
  })

  it('finds the separator, not misled by what is quoted', () => {
    expect(separatorOf('"a,b,c";d\n1,2,3,4')).toBe(';')
    expect(separatorOf('a\tb, c\td')).toBe('\t')
    // Then there is one column.
    expect(parseCsv('text\nno, never\n"a, b"')).toEqual([['text'], ['no, never'], ['a, b']])
    expect(parseCsv('sep=;\na,1;b\n')).toEqual([['a,1', 'b']])
    expect(parseCsv('"sep=\t"\r\na,1\tb\r\n')).toEqual([['a,1', 'b']])
  })

  it('knows the line of a record', () => {
    const records = csv.parseCsv('sep=,\na,b\n\n"x\n\ny",c\n"d",e\n')
    expect(records.map(({ line }) => line)).toEqual([2, 4, 7])
  })

  it('names the line of a quote that is never closed', () => {
    expect(() => parseCsv('sep=,\na,b\n"x\ny",c\nd,"e\n')).toThrow(/opens in line 5/)
    expect(() => parseCsv('a,b\n"x\ny",c\nd,"e\n')).toThrow(TableError)
    expect(() => parseCsv('a,b\n"x\ny",c\nd,"e\n')).toThrow(/opens in line 4/)
    expect(() => parseCsv('a,b\r\n"x\r\ny",c\r\nd,"e\r\n')).toThrow(/opens in line 4/)
  })

  it('names the line of a cell that goes on behind its closing quote', () => {
    expect(() => parseCsv('a,b\nc,"d"e\n')).toThrow(TableError)
    expect(() => parseCsv('a,b\nc,"d"e\n')).toThrow(/cell of line 2/)
  })

  it('reads files that were put together, each part with line ends of its own', () => {
    expect(parseCsv('a,"b"\r\nc,"d\r\ne"\nf,g\ra 5" nail,h\r\n6",i\n')).toEqual([
      ['a', 'b'],
      ['c', 'd\r\ne'],
      ['f', 'g'],
      ['a 5" nail', 'h'],
      ['6"', 'i'],
    ])
  })

  it('takes quotes as text in files with tabs that do without quoting', () => {
    expect(parseCsv('id\ttext\n1\t"Hello\n2\tbye')).toEqual([
      ['id', 'text'],
      ['1', '"Hello'],
      ['2', 'bye'],
    ])
  })
})

describe('writing', () => {
  it('gives nothing to a spreadsheet that it would run', () => {
    for (const cell of ['=1+1', '+A1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '＝1'])
      expect(guarded(cell)).toBe(`'${cell}`)
    for (const cell of ['-1.5', '+3', '-2e-5', '.5', 'a=b', '', 'x']) expect(guarded(cell)).toBe(cell)
    // After whatever a cell holds, no field of the file begins a formula.
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (row) => {
        const [read] = parseCsv(`x,${formatCsv([row])}`, ',')
        for (const cell of read) expect(/^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell))).toBe(false)
      }),
    )
  })

  it('reads back what it wrote', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', '\t', ' ', '\u00e9', '='),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
        expect(parseCsv(formatCsv(rows), ',')).toEqual(rows.map((row) => row.map(guarded)))
      }),
    )
    expect(formatCsv([['a', 'b, c'], ['d "e"']])).toBe('a,"b, c"\r\n"d ""e"""\r\n')
  })
})
