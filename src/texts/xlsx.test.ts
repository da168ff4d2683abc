import { strToU8, zipSync } from 'fflate'
import { expect, test } from 'vitest'
import { isArchive } from './archive.ts'
import { TableError } from './error.ts'
import { readXlsx } from './xlsx.ts'

const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const packages = 'http://schemas.openxmlformats.org/package/2006/relationships'

/** A workbook of one sheet, as far as readers look at one. */
function workbook(rows: string, more: Record<string, Uint8Array> = {}): Uint8Array {
  const texts = {
    'xl/workbook.xml': `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="Texts" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${packages}"><Relationship Id="rId1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': `<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`,
  }
  const parts = Object.entries(texts).map(([path, text]) => [path, strToU8(`<?xml version="1.0"?>${text}`)])
  return zipSync({ ...Object.fromEntries(parts), ...more })
}

const cell = (at: string, text: string) => `<c r="${at}" t="inlineStr"><is><t>${text}</t></is></c>`

test('a sheet’s rows are texts, equally long', async () => {
  const rows = `<row r="1">${cell('A1', 'text')}${cell('B1', 'stars')}</row>
    <row r="2">${cell('A2', 'Schön &amp; gut, &lt;ja&gt;')}<c r="B2"><v>4.5</v></c></row>
    <row r="3">${cell('A3', 'No stars')}</row>`
  const bytes = workbook(rows)
  expect(isArchive(bytes)).toBe(true)
  expect(await readXlsx('a.xlsx', bytes)).toEqual([
    ['text', 'stars'],
    ['Schön & gut, <ja>', '4.5'],
    ['No stars', ''],
  ])
})

/** Numbers, dates, texts and formulas as spreadsheet programs store them. */
const stored = {
  'xl/_rels/workbook.xml.rels': strToU8(
    `<Relationships xmlns="${packages}">${['worksheet" Target="worksheets/sheet2.xml" Id="rId2', 'worksheet" Target="worksheets/sheet1.xml" Id="rId1', 'sharedStrings" Target="sharedStrings.xml" Id="rId3', 'styles" Target="styles.xml" Id="rId4'].map((rest) => `<Relationship Type="${relations}/${rest}"/>`).join('')}</Relationships>`,
  ),
  'xl/sharedStrings.xml': strToU8(
    `<sst xmlns="${main}"><si><t xml:space="preserve"> two  spaces </t></si><si><r><t>bo</t></r><r><t>ld</t></r><rPh sb="0" eb="1"><t>ボ</t></rPh></si><si><t/></si></sst>`,
  ),
  'xl/styles.xml': strToU8(
    `<styleSheet xmlns="${main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
  ),
  'xl/worksheets/sheet2.xml': strToU8(
    `<worksheet xmlns="${main}"><sheetData><row r="1">${cell('A1', 'another sheet')}</row></sheetData></worksheet>`,
  ),
}

test('texts that are stored apart, dates, formulas’ results and gaps are where they belong', async () => {
  const rows = `<row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c></row>
    <row r="4"><c r="A4" s="1"><v>45292</v></c><c r="B4" s="1"><v>45292.5</v></c><c r="C4" t="str"><f>A1&amp;"x"</f><v>ax</v></c></row>
    <row r="5"><c r="A5" t="b"><v>1</v></c><c r="B5" t="s"><v>2</v></c><c r="C5"><f>1+1</f><v>2</v></c></row>
    <row r="6"><c r="A6" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B6" t="str"><f>""</f><v></v></c></row>`
  expect(await readXlsx('a.xlsx', workbook(rows, stored))).toEqual([
    ['', '', ''],
    [' two  spaces ', '', 'bold'],
    ['', '', ''],
    ['2024-01-01', '2024-01-01T12:00:00.000Z', 'ax'],
    ['true', '', '2'],
  ])
})

test('a text is whole wherever the file is cut to be read', async () => {
  const texts = Array.from({ length: 1500 }, (_, i) => `${i} ${'lorem ipsum '.repeat(i % 9)}&amp;`)
  const rows = texts.map((text, i) => `<row r="${i + 1}">${cell(`A${i + 1}`, text)}</row>`)
  const read = await readXlsx('a.xlsx', workbook(rows.join('')))
  expect(read.map(([text]) => text)).toEqual(texts.map((text) => text.replace('&amp;', '&')))
})

const columnName = (at: number): string =>
  (at < 26 ? '' : String.fromCharCode(64 + Math.floor(at / 26))) + String.fromCharCode(65 + (at % 26))

/** An archive whose parts all are the same stored bytes, and say that they are none. */
function overlapping(bytes: number, parts: number): Uint8Array {
  const whole = zipSync({ '0000.xml': new Uint8Array(bytes) }, { level: 0 })
  const end = whole.length - 22
  const at = new DataView(whole.buffer, whole.byteOffset).getUint32(end + 16, true)
  const entry = whole.slice(at, end)
  new DataView(entry.buffer).setUint32(24, 0, true)
  const entries = Array.from({ length: parts }, (_, i) => {
    const named = entry.slice()
    named.set(strToU8(String(i).padStart(4, '0')), 46)
    return named
  })
  const last = whole.slice(end)
  const view = new DataView(last.buffer)
  for (const field of [8, 10]) view.setUint16(field, parts, true)
  view.setUint32(12, parts * entry.length, true)
  return Uint8Array.from([...whole.slice(0, at), ...entries.flatMap((one) => [...one]), ...last])
}

test.each<[string, Uint8Array, RegExp]>([
  ['another archive', zipSync({ 'a.xml': strToU8('<a/>') }), /without an Excel workbook/],
  ['one that is cut', workbook(`<row r="1">${cell('A1', 'x')}</row>`).subarray(0, 200), /damaged/],
  ['one whose sheet is none', workbook('<row r="1"><c r="A1"'), /damaged/],
  [
    'one that unpacks to more than may be',
    workbook('', { 'xl/big.xml': new Uint8Array(65_000_000) }),
    /too much/,
  ],
  ['one whose parts are the same bytes, over and over', overlapping(1_000_000, 70), /too much/],
  ['one with a cell far away', workbook(`<row r="1048576">${cell('XFD1048576', 'x')}</row>`), /far apart/],
  ['one with a row far away', workbook(`<row r="1e9"><c r="A1"/></row>`), /far apart/],
  ['one that spells it otherwise', workbook(`<row r="&#49;048576">${cell('A1', 'x')}</row>`), /far apart/],
  [
    'one with such a sheet in another place',
    workbook('', {
      'xl/_rels/workbook.xml.rels': strToU8(
        `<Relationships xmlns="${packages}"><Relationship Id="rId1" Type="${relations}/worksheet" Target="a.xml"/></Relationships>`,
      ),
      'xl/a.xml': strToU8(
        `<worksheet xmlns="${main}"><sheetData><row r="999999">${cell('ZZ999999', 'x')}</row></sheetData></worksheet>`,
      ),
    }),
    /far apart/,
  ],
  [
    'one text in many cells',
    workbook(
      `<row r="1">${Array.from({ length: 300 }, (_, i) => `<c r="${columnName(i)}1" t="s"><v>0</v></c>`).join('')}</row>`,
      {
        ...stored,
        'xl/sharedStrings.xml': strToU8(`<sst xmlns="${main}"><si><t>${'x'.repeat(200_000)}</t></si></sst>`),
      },
    ),
    /too much/,
  ],
  [
    'a formula without a result',
    workbook('<row r="1"><c r="A1"><f>1+1</f></c></row>'),
    /results are not in it/,
  ],
  ['one in an unusual form', workbook(`<row r="1">${cell('A1', '<![CDATA[x]]>')}</row>`), /unusual/],
])('%s is refused', async (_, bytes, why) => {
  const refused = readXlsx('a.xlsx', bytes)
  await expect(refused).rejects.toThrow(TableError)
  await expect(refused).rejects.toThrow(why)
})
