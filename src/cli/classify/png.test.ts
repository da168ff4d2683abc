import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from 'fast-png'
import { afterAll, expect, test } from 'vitest'
import { readPng } from './png.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-png-'))
afterAll(() => rmSync(dir, { recursive: true }))
const file = join(dir, 'a.png')

const read = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4, depth: 8 | 16 = 8): number[] => {
  writeFileSync(file, encode({ width: 2, height: 1, data, channels, depth }))
  return [...readPng(file).data]
}

test('grey, colours and opacities, of 8 and 16 bits', () => {
  expect(read(Uint8Array.of(7, 200), 1)).toEqual([7, 7, 7, 255, 200, 200, 200, 255])
  expect(read(Uint8Array.of(7, 1, 200, 0), 2)).toEqual([7, 7, 7, 1, 200, 200, 200, 0])
  expect(read(Uint8Array.of(1, 2, 3, 4, 5, 6), 3)).toEqual([1, 2, 3, 255, 4, 5, 6, 255])
  expect(read(Uint8Array.of(1, 2, 3, 9, 4, 5, 6, 8), 4)).toEqual([1, 2, 3, 9, 4, 5, 6, 8])
  expect(read(Uint16Array.of(65535, 257), 1, 16)).toEqual([255, 255, 255, 255, 1, 1, 1, 255])
})

test('what is no PNG, is damaged, or too large, is refused', () => {
  writeFileSync(file, 'GIF89a and more that is no PNG at all')
  expect(() => readPng(file)).toThrow('is no PNG')
  const bytes = encode({ width: 2, height: 1, data: Uint8Array.of(7, 200), channels: 1, depth: 8 })
  writeFileSync(file, bytes.subarray(0, 45))
  expect(() => readPng(file)).toThrow('damaged')
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(16, 1 << 30)
  writeFileSync(file, bytes)
  expect(() => readPng(file)).toThrow('million pixels')
  expect(() => readPng(join(dir, 'none.png'))).toThrow('cannot be read')
})
