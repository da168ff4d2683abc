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

test('without a pattern it is refused with the command that says it', () => {
  write('own.tiktoken')
  expect(() => readTokenizer(dir, config)).toThrow(
    /own\.tiktoken.*"pattern"[\s\S]*python3 - <<'END'[\s\S]*r"""PATTERN"""/,
  )
})

const json = (file: string, value: object) => writeFileSync(join(dir, file), JSON.stringify(value))
const said = (content: string, more: object = {}) => ({ content, special: true, ...more })
const chatml =
  '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}'
/** As Phi-3's, whose marks are made of the roles. */
const byRole = "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}<|assistant|>"

test.each<[string, Record<string, object>]>([
  ['"<|im_start|>"', { 'tokenizer_config.json': { pattern, chat_template: chatml } }],
  ['"<|user|>"', { 'tokenizer_config.json': { pattern, chat_template: byRole } }],
  ['"<s>"', { 'tokenizer_config.json': { pattern, chat_template: '<s>{{ messages }}' } }],
  ['"<|end|>"', { 'tokenizer_config.json': { pattern, eos_token: said('<|end|>') } }],
  ['"<|pad|>"', { 'tokenizer_config.json': { pattern, additional_special_tokens: ['<|pad|>'] } }],
  [
    '"<|end|>"',
    { 'tokenizer_config.json': { pattern }, 'special_tokens_map.json': { eos_token: '<|end|>' } },
  ],
  ['the id 401', { 'tokenizer_config.json': { pattern }, 'config.json': { eos_token_id: [1, 401] } }],
  [
    '"<|im_end|>"',
    {
      'tokenizer_config.json': {
        pattern,
        chat_template: chatml,
        added_tokens_decoder: { 400: said('<|im_start|>') },
      },
    },
  ],
])('special tokens that are named but not known are missed: %s', (missing, files) => {
  write('own.tiktoken')
  for (const [file, value] of Object.entries(files)) json(file, value)
  expect(() => readTokenizer(dir, config)).toThrow(
    expect.objectContaining({ fault: 'unsupported', message: expect.stringContaining(missing) }),
  )
  expect(() => readTokenizer(dir, config)).toThrow(`str(${ranks().size} + i)`)
})

test('special tokens are what the file says, and marks of a template are read as such', () => {
  write('own.tiktoken')
  const decoder = { 400: said('<|im_start|>'), 401: said('<|im_end|>', { lstrip: true, rstrip: true }) }
  json('config.json', { eos_token_id: 401 })
  json('tokenizer_config.json', { pattern, chat_template: chatml, added_tokens_decoder: decoder })
  const tokenizer = new Tokenizer(readTokenizer(dir, config), {})
  const { ids } = tokenizer.encode('<|im_start|>x <|im_end|>\nx', { add_special_tokens: false })
  const x = ranks().get('x')
  expect([...ids]).toEqual([400, x, 401, x])
  decoder[400] = said('<|im_start|>', { single_word: true })
  json('tokenizer_config.json', { pattern, added_tokens_decoder: decoder })
  expect(() => readTokenizer(dir, config)).toThrow('"single_word"')
  json('tokenizer_config.json', { pattern, added_tokens_decoder: { 5: said('<|end|>') } })
  expect(() => readTokenizer(dir, config)).toThrow('another token of the vocabulary')
})

test('a pattern that takes without giving back is read so, or refused', () => {
  write('own.tiktoken')
  json('tokenizer_config.json', { pattern: pattern.replace('{1,3}', '{1,3}+').replaceAll('p{L}+', 'p{L}++') })
  const tokenizer = new Tokenizer(readTokenizer(dir, config), {})
  for (const text of [...texts, '12345678 x1234'])
    expect([...tokenizer.encode(text, { add_special_tokens: false }).ids]).toEqual(byRanks(ranks(), text))
  json('tokenizer_config.json', { pattern: `(?:ab)++|${pattern}` })
  expect(() => readTokenizer(dir, config)).toThrow('own.tiktoken: its pattern has ")++"')
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
