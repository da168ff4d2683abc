import { expect, test } from 'vitest'
import type { Tensors } from '../architectures/config.ts'
import {
  decodeHeader,
  decodeSafetensors,
  encodeSafetensors,
  headerLength,
  SafetensorsError,
} from './safetensors.ts'

const tensors: Tensors = new Map([
  ['a', { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 3, 1e-3, 65504) }],
  ['naïve', { shape: [1], data: Float32Array.of(0.1) }],
])

test('float32 survives exactly, with metadata and odd names', () => {
  const {
    tensors: back,
    dtypes,
    metadata,
  } = decodeSafetensors(encodeSafetensors(tensors, 'F32', { step: '7' }))
  expect(back).toEqual(tensors)
  expect(dtypes.get('a')).toBe('F32')
  expect(metadata).toEqual({ step: '7' })
})

test('float16 is within half a unit in the last place', () => {
  const back = decodeSafetensors(encodeSafetensors(tensors, 'F16')).tensors
  for (const [name, { data }] of tensors)
    data.forEach((value, i) => {
      expect(Math.abs(back.get(name)!.data[i] - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11)
    })
})

test('reads bfloat16 written elsewhere', () => {
  const json = '{"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
  const file = new Uint8Array(8 + json.length + 4)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(new TextEncoder().encode(json), 8)
  file.set([0x80, 0x3f, 0x00, 0xc0], 8 + json.length)
  expect([...decodeSafetensors(file).tensors.get('b')!.data]).toEqual([1, -2])
})

test('data is aligned and starts where the header says', () => {
  const file = encodeSafetensors(tensors, 'F32')
  const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true))
  expect(headerLength % 8).toBe(0)
  expect(new DataView(file.buffer).getFloat32(8 + headerLength, true)).toBe(1)
})

test.each([
  ['empty', () => new Uint8Array(3)],
  ['truncated', () => encodeSafetensors(tensors, 'F32').slice(0, -1)],
  ['no header', () => new Uint8Array(100).fill(255)],
  ['not JSON', () => new Uint8Array([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
])('refuses a file that is %s', (_, file) => {
  expect(() => decodeSafetensors(file())).toThrow(SafetensorsError)
})

test('refuses a header that would fill the memory, before reading it', () => {
  const start = new Uint8Array(8)
  new DataView(start.buffer).setBigUint64(0, 50_000_000_000n, true)
  expect(() => headerLength(start, 60_000_000_000)).toThrow(SafetensorsError)
})

test.each(['[]', '[0]', '[0,4,4]', '[4,0]', '[-1,3]', '[0,9]', '"0,4"'])('refuses offsets %s', (offsets) => {
  const json = `{"a":{"dtype":"F32","shape":[1],"data_offsets":${offsets}}}`
  expect(() => decodeHeader(new TextEncoder().encode(json), 8)).toThrow(SafetensorsError)
})
