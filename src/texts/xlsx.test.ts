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

test.each<[string, Uint8Array, RegExp]>([
  ['another archive', zipSync({ 'a.xml': strToU8('<a/>') }), /without an Excel workbook/],
  ['one that is cut', workbook(`<row r="1">${cell('A1', 'x')}</row>`).subarray(0, 200), /damaged/],
  ['one whose sheet is none', workbook('<row r="1"><c r="A1"'), /damaged/],
  [
    'one that unpacks to more than may be',
    workbook('', { 'xl/big.xml': new Uint8Array(65_000_000) }),
    /too much/,
  ],
  ['one with a cell far away', workbook(`<row r="1048576">${cell('XFD1048576', 'x')}</row>`), /far apart/],
])('%s is refused', async (_, bytes, why) => {
  const refused = readXlsx('a.xlsx', bytes)
  await expect(refused).rejects.toThrow(TableError)
  await expect(refused).rejects.toThrow(why)
})
