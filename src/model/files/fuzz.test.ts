/** Files from strangers: whatever is in them, reading ends, with a value or a typed error, and takes no more than its bytes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTokenizer } from './bundle.ts'
import { BundleError } from './bundle-error.ts'
import { parseManifest } from './manifest.ts'
import { decodeSafetensors, encodeHeader, SafetensorsError } from './safetensors.ts'

/** A value of JSON's that may be huge, negative, broken, or of another type than anybody expects. */
const number = fc.oneof(
  fc.nat(64),
  fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 2 ** 53 - 1, 1e300, 4294967296),
)
const wild = fc.oneof(number, fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, '', '__proto__', [], {}))
const key = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('__proto__', 'constructor', '__metadata__'))

const entry = fc.oneof(
  wild,
  fc.record(
    {
      dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'BF16', 'I64', 'toString'), wild),
      shape: fc.oneof(fc.array(number, { maxLength: 4 }), wild),
      data_offsets: fc.oneof(fc.tuple(number, number), fc.array(number, { maxLength: 3 }), wild),
    },
    { requiredKeys: [] },
  ),
)

/** A file whose header is this JSON, with a length that may lie. */
const safetensors = fc
  .record({
    header: fc.oneof(fc.array(fc.tuple(key, entry), { maxLength: 5 }), fc.string()),
    more: fc.constantFrom(0n, 1n, -1n, 1n << 40n, 1n << 63n),
    data: fc.uint8Array({ maxLength: 64 }),
  })
  .map(({ header, more, data }) => {
    const body = Array.isArray(header)
      ? header.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`)
      : []
    const text = new TextEncoder().encode(Array.isArray(header) ? `{${body.join()}}` : header)
    const file = new Uint8Array(8 + text.length + data.length)
    new DataView(file.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(text.length) + more), true)
    file.set(text, 8)
    file.set(data, 8 + text.length)
    return file
  })

test('safetensors: values that fill the bytes they are said to lie in, or a typed error', () => {
  fc.assert(
    fc.property(fc.oneof(safetensors, fc.uint8Array({ maxLength: 64 })), (file) => {
      try {
        const { tensors, bytes, metadata } = decodeSafetensors(file)
        for (const [name, { shape, data }] of tensors) {
          expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length)
          expect(bytes.get(name)!.length).toBeLessThanOrEqual(file.length)
        }
        expect(typeof metadata).toBe('object')
        for (const value of Object.values(metadata)) expect(typeof value).toBe('string')
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError)
      }
    }),
    { numRuns: 3000, seed: 8 },
  )
})

test('safetensors: tensors that lie in one another’s bytes grow to no more than the file', () => {
  const one = { dtype: 'F16' as const, shape: [32] }
  const header = encodeHeader([{ name: 'a', ...one }])
  const text = JSON.parse(new TextDecoder().decode(header.subarray(8)))
  const names = Array.from({ length: 1000 }, (_, i) => [`t${i}`, text.a])
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(names)))
  const file = new Uint8Array(8 + json.length + 64)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  expect(() => decodeSafetensors(file)).toThrow(SafetensorsError)
})

const changed = fc.array(fc.tuple(fc.array(key, { maxLength: 3 }), wild), { maxLength: 4 })
const manifest = {
  format: 'sotto-bundle/1',
  name: 'x',
  description: '',
  license: '',
  source: '',
  config: {
    arch: 'llama',
    vocab: 8,
    dim: 4,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    ff: 8,
    eps: 1e-5,
    context: 8,
    activation: 'silu',
    tied: true,
  },
  tensors: [{ name: 'w', shape: [2], dtype: 'F16', visibility: 'public' }],
  files: {},
  profile: {},
}

test('manifests and tokenizers: a value, or a typed error', () => {
  const paths = fc.constantFrom('format', 'config', 'tensors', 'files', 'chat', 'text', 'custody', 'profile')
  const inConfig = fc.constantFrom(...Object.keys(manifest.config), 'ropeScaling', 'head', 'lora', 'types')
  fc.assert(
    fc.property(
      changed,
      fc.array(fc.tuple(paths, wild)),
      fc.array(fc.tuple(inConfig, wild)),
      (extra, top, config) => {
        const whole = {
          ...manifest,
          config: { ...manifest.config, ...Object.fromEntries(config) },
          ...Object.fromEntries(top),
          ...Object.fromEntries(extra.map(([[k = 'k'], v]) => [k, v])),
        }
        for (const text of [
          JSON.stringify(whole),
          JSON.stringify(extra),
          JSON.stringify(whole).slice(0, 99),
        ]) {
          try {
            parseManifest(text)
          } catch (error) {
            expect(error).toBeInstanceOf(BundleError)
          }
          try {
            expect(parseTokenizer(new TextEncoder().encode(text))).toBeTypeOf('object')
          } catch (error) {
            expect(error).toBeInstanceOf(BundleError)
          }
        }
      },
    ),
    { numRuns: 1000, seed: 8 },
  )
  for (const text of ['null', '3', '"x"', '[]'])
    expect(() => parseTokenizer(new TextEncoder().encode(text))).toThrow(BundleError)
})
