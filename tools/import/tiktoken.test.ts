import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { symbolsToBytes } from '../../src/model/tokenizer/byte-symbols.ts'
import { decodeText } from '../../src/model/tokenizer/chat.ts'
import { newFolder, smallConfigs } from '../../test/support/checkpoint-folder.ts'
import { trainBpe } from '../train/bpe.ts'
import { readTokenizer } from './tokenizer-files.ts'

let dir: string
beforeEach(() => {
  dir = newFolder()
  mkdirSync(dir, { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true }))

const pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const config = { ...smallConfigs.gpt2, vocab: 512 }
const texts = ['the quick brown fox jumps over the lazy dog', 'théâtre, thee they’re there 1234 über 東京で']

/** Ranks of what a few texts teach, in an order of our own beyond the bytes. */
function ranks(): Map<string, number> {
  const { merges } = trainBpe(texts, 320, [])
  const out = new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode((byte * 7) % 256), byte]))
  for (const [a, b] of merges) {
    const bytes = Buffer.from(symbolsToBytes(`${a}${b}`)).toString('latin1')
    if (!out.has(bytes)) out.set(bytes, out.size)
  }
  return out
}

/** As tiktoken does it: of all neighbours, those whose token has the lowest rank become one. */
function byRanks(all: ReadonlyMap<string, number>, text: string): number[] {
  return [
    ...text.matchAll(new RegExp(pattern.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'[a-z]{1,2}"), 'gu')),
  ].flatMap(([word]) => {
    let parts = Array.from(Buffer.from(word, 'utf8'), (byte) => String.fromCharCode(byte))
    if (all.has(parts.join(''))) return [all.get(parts.join(''))!]
    for (;;) {
      const made = parts.slice(1).map((part, i) => all.get(parts[i] + part) ?? Number.POSITIVE_INFINITY)
      const least = Math.min(...made)
      if (!Number.isFinite(least)) return parts.map((part) => all.get(part)!)
      const at = made.indexOf(least)
      parts = [...parts.slice(0, at), parts[at] + parts[at + 1], ...parts.slice(at + 2)]
    }
  })
}

const write = (file: string, all = ranks()) =>
  writeFileSync(
    join(dir, file),
    [...all].map(([bytes, rank]) => `${Buffer.from(bytes, 'latin1').toString('base64')} ${rank}\n`).join(''),
  )

test.each(['own.tiktoken', 'tokenizer.model'])('%s is read, and gives what its ranks say', (file) => {
  write(file)
  const added = { 400: { content: '<|end|>', special: true } }
  writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify({ pattern, added_tokens_decoder: added }))
  const tokenizer = new Tokenizer(readTokenizer(dir, config), {})
  const odd = ['the theatre of the fox', '  lazy\n\n dogs  1234567 ?!', 'ÜBER über\t東京 😀 théâtre', 'x']
  for (const text of [...texts, ...odd]) {
    const ids = [...tokenizer.encode(text, { add_special_tokens: false }).ids]
    expect(ids).toEqual(byRanks(ranks(), text))
    expect(decodeText(tokenizer, ids)).toBe(text)
  }
  expect(tokenizer.encode('a<|end|>', { add_special_tokens: false }).ids.at(-1)).toBe(400)
})

test('without a pattern it is refused with the command that converts it', () => {
  write('own.tiktoken')
  expect(() => readTokenizer(dir, config)).toThrow(
    /own\.tiktoken.*"pattern".*python3 -c '.*TikTokenConverter/,
  )
})

test('a file that is cut short, or says a token twice, is refused by its line', () => {
  writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify({ pattern }))
  write('own.tiktoken', new Map([...ranks()].slice(0, 99)))
  expect(() => readTokenizer(dir, config)).toThrow('has no token')
  for (const [bad, place] of [
    ['IQ== 0\nIQ== 1\n', 'line 2'],
    ['IQ== 0\nIg== 0\n', 'line 2'],
    ['no base64\n', 'line 1'],
  ]) {
    writeFileSync(join(dir, 'own.tiktoken'), bad)
    expect(() => readTokenizer(dir, config)).toThrow(place)
  }
})
