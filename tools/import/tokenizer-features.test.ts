import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it, test } from 'vitest'
import { tokenizerCases } from '../../test/support/tokenizer-cases.ts'
import { Charsmap } from './charsmap.ts'
import { alike, oddTexts, tryOut } from './tokenizer-features.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

/** What Hugging Face's Rust tokenizers make of the texts: scripts/tokenizer-vectors.ts. */
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/tokenizers.json', import.meta.url), 'utf8'),
) as Record<string, number[][]>

describe.each(Object.entries(tokenizerCases))('%s', (kind, json) => {
  const tokenizer = new Tokenizer(alike(json, 'tokenizer.json'), {})
  it.each(oddTexts.map((text, at) => [text, vectors[kind][at]] as const))(
    '%j is what Rust makes of it',
    (text, ids) => {
      expect([...tokenizer.encode(text).ids]).toEqual(ids)
    },
  )

  it('is good for odd texts', () => tryOut(tokenizer, json, 'tokenizer.json'))
})

const base = tokenizerCases['byte-level BPE']

test('added tokens that count as whole words only are refused by name', () => {
  const added_tokens = [{ ...base.added_tokens![0], content: 'cat', single_word: true }]
  expect(() => alike({ ...base, added_tokens }, 'x.json')).toThrow(
    /^x\.json: the added token "cat" counts only/,
  )
})

test('a tokenizer that loses bytes is refused', () => {
  const { vocab } = base.model as { vocab: Record<string, number> }
  const broken = {
    ...base,
    model: { ...base.model, vocab: { ...vocab, z: vocab.y, y: vocab.z } },
  } as TokenizerJson
  const { z: _, ...without } = vocab
  const lacking = { ...base, model: { ...base.model, vocab: without } } as TokenizerJson
  tryOut(new Tokenizer(broken, {}), broken, 'x.json')
  expect(() => tryOut(new Tokenizer(lacking, {}), lacking, 'x.json')).toThrow(/^x\.json: /)
})

/** A double array with one rule for each byte: what SentencePiece compiles, by hand. */
function charsmap(rules: Record<string, string>): string {
  const units = new Uint32Array(512)
  let text = ''
  // The root's children stand at 256 + byte; a leaf's value where its offset leads.
  units[0] = 256 << 10
  Object.entries(rules).forEach(([from, to], i) => {
    const byte = from.charCodeAt(0)
    const at = 256 ^ byte
    const leaf = 128 + i
    units[at] = (((at ^ leaf) << 10) | 0x100 | byte) >>> 0
    units[leaf] = (0x80000000 | text.length) >>> 0
    text += `${to}\0`
  })
  const head = Uint8Array.from(new Uint8Array(Uint32Array.of(4 * units.length).buffer))
  return Buffer.concat([head, new Uint8Array(units.buffer), Buffer.from(text)]).toString('base64')
}

test('compiled rules say what single characters become', () => {
  const map = new Charsmap(charsmap({ A: 'a', z: 'zed' }))
  expect(['A', 'z', 'B', 'é'].map((character) => map.replacement(character))).toEqual([
    'a',
    'zed',
    undefined,
    undefined,
  ])
})

test.each([
  [charsmap({ A: 'a' }), 'has rules of its own ("A" becomes "a")'],
  ['AAAA', 'is damaged'],
])('rules that the library does not follow are refused: %#', (precompiled_charsmap, message) => {
  const normalizer = { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap }] }
  expect(() => alike({ ...base, normalizer }, 'x.json')).toThrow(message)
})
