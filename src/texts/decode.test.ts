import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeText } from './decode.ts'
import { TableError } from './error.ts'

const decode = (bytes: Uint8Array) => decodeText('a.csv', bytes)
const utf16 = (text: string, isLittle: boolean, mark: boolean): Uint8Array => {
  const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le')
  return isLittle ? bytes : bytes.swap16()
}
const utf32 = (text: string, isLittle: boolean): Uint8Array => {
  const points = [0xfeff, ...[...text].map((char) => char.codePointAt(0)!)]
  const view = new DataView(new ArrayBuffer(4 * points.length))
  points.forEach((point, at) => {
    view.setUint32(4 * at, point, isLittle)
  })
  return new Uint8Array(view.buffer)
}

describe('a file of texts', () => {
  test('is read by its byte order mark', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii' }).filter((s) => !/[^\t\n\r -~]/.test(s)),
        (ascii) => {
          const text = `${ascii} Schöner Film \u{1f600}`
          for (const isLittle of [true, false]) {
            expect(decode(utf16(text, isLittle, true))).toEqual({ text })
            expect(decode(utf32(text, isLittle))).toEqual({ text })
          }
          expect(decode(Buffer.from(`\ufeff${text}`))).toEqual({ text })
        },
      ),
    )
  })

  test('may be UTF-16 without one', () => {
    for (const text of ['text,label\nSchöner Film,1', 'id,текст\n1,Хороший фильм, да\n'])
      for (const isLittle of [true, false]) expect(decode(utf16(text, isLittle, false))).toEqual({ text })
  })

  test('may be in an older encoding, and that is said', () => {
    const latin = Buffer.from('text\nDas war ein sehr schöner Film, über den man spricht.', 'latin1')
    expect(decode(latin)).toMatchObject({ text: expect.stringContaining('schöner Film, über'), guess: /./ })
    const sjis = [0x83, 0x65, 0x83, 0x4c, 0x83, 0x58, 0x83, 0x67, 0x82, 0xaa, 0x82, 0xa0, 0x82, 0xe9, 0x0a]
    const many = Uint8Array.from(Array.from({ length: 20 }, () => sjis).flat())
    expect(decode(many)).toEqual({ text: 'テキストがある\n'.repeat(20), guess: 'Shift_JIS' })
  })

  test.each([
    ['an .xlsx', Buffer.from('PK\x03\x04....'), /Excel workbook.*CSV/],
    ['an .xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /old Excel/],
    ['a PDF', Buffer.from('%PDF-1.7'), /PDF/],
    ['a PNG', Buffer.from('89504e470d0a1a0a', 'hex'), /picture/],
    ['gzip', gzipSync('text'), /compressed/],
    ['Parquet', Buffer.from('PAR1\x15\x04'), /Parquet/],
    ['bzip2', Buffer.from('BZh91AY&SY\x01\x02'), /compressed/],
    ['bytes', Uint8Array.from({ length: 999 }, (_, at) => (at * 7) % 256), /other than text/],
    ['control characters', Buffer.from('\x01\x02\x03a'.repeat(99)), /other than text/],
    ['cut UTF-16', Uint8Array.of(0xff, 0xfe, 65), /damaged/],
  ])('%s is refused by what it holds', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(TableError)
    expect(() => decode(bytes)).toThrow(message)
  })

  test('may begin with the letters of a format', () => {
    for (const text of ['PAR1,label\nx,1', 'RIFF raff', 'GIF8?', 'BZh'])
      expect(decode(Buffer.from(text))).toEqual({ text })
  })

  test('is text without zeros, or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          expect(decode(bytes).text).not.toContain('\0')
        } catch (error) {
          expect(error).toBeInstanceOf(TableError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('quotes, dashes and the euro of windows-1252 are there, whatever the platform makes of them', () => {
  const bytes = Uint8Array.from(
    Buffer.from('text\nSch\xf6ner Film \x96 \x84gut\x93, 5 \x80\n\xdcbel, \xe4rgerlich\n', 'latin1'),
  )
  expect(decodeText('a.csv', bytes).text).toBe('text\nSchöner Film – „gut“, 5 €\nÜbel, ärgerlich\n')
})
