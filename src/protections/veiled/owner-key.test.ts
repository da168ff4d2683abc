/** Key files: what is read, what is refused, and what is done with it. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { toBase64Url } from '../../handshake/encoding.ts'
import { readSecret, writeSecret } from './node/secret-file.ts'
import { OwnerEnds } from './owner-ends.ts'
import { type KeyFileError, type OwnerKey, parseOwnerKey } from './owner-key.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-owner-key-'))
afterAll(() => rmSync(dir, { recursive: true }))

const seed = (byte: number): string => toBase64Url(new Uint8Array(32).fill(byte))

const key: OwnerKey = {
  format: 'sotto-veil-owner/1',
  keyId: '0123456789abcdef0123456789abcdef',
  tenant: 'clinic-1',
  created: '2026-01-02T03:04:05.678Z',
  group: 'full',
  family: 'vit',
  ends: {
    tokens: { kind: 'items', size: 50, fixed: [1], seed: seed(1) },
    labels: { kind: 'items', size: 3, seed: seed(2) },
    pixels: { kind: 'pixels', size: 16, seed: seed(3) },
    patches: { kind: 'items', size: 5, fixed: [0], seed: seed(4) },
    rows: { kind: 'stream', size: 8, norm: 'carried', seed: seed(5) },
  },
  labels: ['a', 'b', 'c'],
}

const refusal = (value: unknown): KeyFileError => {
  try {
    parseOwnerKey(typeof value === 'string' ? value : JSON.stringify(value), 'owner.json')
  } catch (error) {
    return error as KeyFileError
  }
  throw new Error('It was taken.')
}

test('a file is read as it was written', () => {
  expect(parseOwnerKey(JSON.stringify(key), 'owner.json')).toEqual(key)
})

test.each([
  ['no JSON', '{', 'bad-file'],
  ['no object', '7', 'bad-file'],
  ['no format', {}, 'bad-file'],
  ["a developer's file", { ...key, format: 'sotto-veil-developer/1' }, 'other-kind'],
  ['an id that is none', { ...key, keyId: 'x' }, 'bad-file'],
  ['a tenant that is a path', { ...key, tenant: '../x' }, 'bad-file'],
  ['a group that is none', { ...key, group: 'all' }, 'bad-file'],
  ['a short seed', { ...key, ends: { tokens: { kind: 'items', size: 9, seed: 'AAAA' } } }, 'bad-file'],
  ['a size of nothing', { ...key, ends: { tokens: { kind: 'items', size: 0, seed: seed(1) } } }, 'bad-file'],
  [
    'an endless size',
    { ...key, ends: { tokens: { kind: 'items', size: 2 ** 40, seed: seed(1) } } },
    'bad-file',
  ],
  [
    'a fixed id beyond the size',
    { ...key, ends: { tokens: { kind: 'items', size: 9, fixed: [9], seed: seed(1) } } },
    'bad-file',
  ],
  [
    'an end of another kind',
    { ...key, ends: { tokens: { kind: 'pixels', size: 9, seed: seed(1) } } },
    'bad-file',
  ],
  ['a field that nobody knows', { ...key, more: 1 }, 'bad-file'],
  ['other labels than it has', { ...key, labels: ['a'] }, 'bad-file'],
])('%s is refused', (_, value, code) => {
  expect(refusal(value)).toMatchObject({ name: 'KeyFileError', code })
})

test('no error repeats a secret', () => {
  const secret = `${seed(7)}!`
  const error = refusal({ ...key, ends: { tokens: { kind: 'items', size: 9, seed: secret } } })
  expect(error.message).not.toContain(secret)
  expect(error.message).toContain('ends.tokens.seed')
})

test('ids go up veiled, and answers come down in the model’s own order', () => {
  const ends = new OwnerEnds(key)
  const all = Array.from({ length: 50 }, (_, i) => i)
  const veiled = ends.veilIds(all)
  expect(veiled[1]).toBe(1)
  expect(veiled).not.toEqual(all)
  expect(ends.unveilIds(veiled)).toEqual(all)
  const logits = new Float32Array(50)
  veiled.forEach((j, i) => {
    logits[j] = i
  })
  expect([...ends.unveilLogits(logits)]).toEqual(all)
  expect(() => ends.veilIds([50])).toThrow(RangeError)
  expect(() => ends.veilIds([-1])).toThrow(RangeError)
  expect(() => ends.veilIds([0.5])).toThrow(RangeError)
  expect(() => ends.unveilLogits(new Float32Array(49))).toThrow(RangeError)
  expect([...ends.unveilLabels(Float32Array.of(1, 2, 3))].sort()).toEqual([1, 2, 3])
})

test('pictures keep their lengths, not their numbers or places', () => {
  const ends = new OwnerEnds(key)
  const patches = [1, 2, 3, 4].map((size) => new Float64Array(16).fill(size))
  const lengths = ends.veilPatches(patches).map((patch) => Math.round(Math.hypot(...patch)))
  expect(lengths.sort((a, b) => a - b)).toEqual([4, 8, 12, 16])
  expect(() => ends.veilPatches(patches.slice(1))).toThrow(RangeError)
  expect(() => ends.veilPatches(patches.map(() => new Float64Array(3)))).toThrow(RangeError)
})

test('a hidden state comes back as it went', () => {
  const ends = new OwnerEnds(key)
  const row = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  expect(ends.veilRow(row)).not.toEqual(row)
  expect(ends.unveilHidden(ends.veilRow(row))).toEqual(row)
})

test('a model that was veiled with another key is refused, and so is an end that the key lacks', () => {
  const ends = new OwnerEnds(key)
  expect(() => ends.check(key.keyId)).not.toThrow()
  expect(() => ends.check('f'.repeat(32))).toThrow(expect.objectContaining({ code: 'other-key' }))
  const few = new OwnerEnds({ ...key, ends: { tokens: key.ends.tokens } })
  expect(() => few.unveilLabels(new Float32Array(3))).toThrow(
    expect.objectContaining({ code: 'no-such-end' }),
  )
})

test('a file is its owner’s alone, and whole or not there', () => {
  const path = join(dir, 'keys', 'owner.json')
  writeSecret(path, key)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700)
  writeSecret(path, { ...key, tenant: 'other' })
  expect(parseOwnerKey(readSecret(path), path).tenant).toBe('other')
  expect(readdirSync(join(dir, 'keys'))).toEqual(['owner.json'])
  expect(() => readSecret(join(dir, 'none.json'))).toThrow(expect.objectContaining({ code: 'bad-file' }))
  writeFileSync(path, new Uint8Array((16 << 20) + 1))
  expect(() => readSecret(path)).toThrow(expect.objectContaining({ code: 'bad-file' }))
})
