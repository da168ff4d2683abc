/**
 * What tokenizers have that the JavaScript library reads otherwise than the Rust one which they were made with: said in terms
 * that both read alike, or refused by name.
 */
import { Tokenizer } from '@huggingface/tokenizers'
import { Charsmap } from './charsmap.ts'
import { ImportError } from './error.ts'
import type { TokenizerJson } from './tokenizer-json.ts'

interface Step {
  type: string
  lowercase?: boolean
  normalizers?: Step[]
  precompiled_charsmap?: string
}

/** The tokenizer in terms that are read alike everywhere. Throws {@link ImportError} for what has no such terms. */
export function alike(json: TokenizerJson, file: string): TokenizerJson {
  const steps = stepsOf(json.normalizer as Step | null | undefined)
  refuseWholeWords(json, file)
  for (const { type, precompiled_charsmap: map } of steps)
    if (type === 'Precompiled') checkCharsmap(map, file)
  const isLowered = steps.some(({ type, lowercase }) => type === 'Lowercase' || lowercase === true)
  return {
    ...json,
    ...(isLowered ? { normalizer: { type: 'Sequence', normalizers: [plainSigma, ...steps] } } : {}),
    ...(json.pre_tokenizer ? { pre_tokenizer: byRustsWords(json.pre_tokenizer as PreTokenizer) } : {}),
    model: json.model.type === 'WordLevel' ? wholeWords(json.model) : json.model,
  }
}

const stepsOf = (normalizer: Step | null | undefined): Step[] =>
  normalizer?.type === 'Sequence'
    ? (normalizer.normalizers ?? []).flatMap(stepsOf)
    : normalizer
      ? [normalizer]
      : []

/** JavaScript writes a capital sigma at a word's end as its final form; Rust goes by single characters. */
const plainSigma: Step & Record<string, unknown> = { type: 'Replace', pattern: { String: 'Σ' }, content: 'σ' }

interface PreTokenizer {
  type: string
  pretokenizers?: PreTokenizer[]
}

/** Rust's word characters: letters of all scripts. JavaScript's are those of English. */
const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d'

function byRustsWords(step: PreTokenizer): object {
  if (step.pretokenizers) return { ...step, pretokenizers: step.pretokenizers.map(byRustsWords) }
  if (step.type !== 'Whitespace') return step
  const regex = `[${wordCharacters}]+|[^${wordCharacters}\\s]+`
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Removed', invert: true }
}

/** WordPiece whose parts of words never continue is WordLevel: a word is in the vocabulary as a whole, or unknown. */
function wholeWords(model: TokenizerJson['model']): TokenizerJson['model'] {
  return {
    type: 'WordPiece',
    vocab: model.vocab,
    unk_token: model.unk_token ?? '<unk>',
    continuing_subword_prefix: '\u{10fffd}',
    max_input_chars_per_word: 1 << 20,
  }
}

function refuseWholeWords({ added_tokens: added = [] }: TokenizerJson, file: string): void {
  const found = added.find((token) => (token as { single_word?: unknown }).single_word === true)
  if (found)
    throw new ImportError(
      'unsupported',
      `${file}: the added token ${JSON.stringify(found.content)} counts only as a whole word ("single_word"), which is not supported. Set it to false if texts never hold it within a word.`,
      { file },
    )
}

/** Letters, digits and signs of common scripts: those that a custom map would change. */
const blocks = [
  [0x20, 0x24f],
  [0x370, 0x52f],
  [0x2010, 0x2044],
  [0x3000, 0x30ff],
  [0xff01, 0xff5e],
] as const

/** The library normalises as SentencePiece's usual rules do (nmt_nfkc), whatever the map says. */
function checkCharsmap(base64: string | undefined, file: string): void {
  const complaint = (what: string): ImportError =>
    new ImportError('unsupported', `${file}: its normaliser's "precompiled_charsmap" ${what}.`, { file })
  let map: Charsmap
  try {
    map = new Charsmap(base64 ?? '')
  } catch {
    throw complaint('is damaged. Download the file again')
  }
  const library = new Tokenizer(
    {
      normalizer: { type: 'Precompiled', precompiled_charsmap: base64 },
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      added_tokens: [],
      model: { type: 'WordPiece', vocab: { a: 0 }, unk_token: 'a' },
    },
    {},
  )
  for (const [first, last] of blocks)
    for (let code = first; code <= last; code++) {
      const character = String.fromCodePoint(code)
      if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(character)) continue
      const wanted = map.replacement(character) ?? character
      if (library.normalizer?.normalize(character) !== wanted)
        throw complaint(
          `has rules of its own (${JSON.stringify(character)} becomes ${JSON.stringify(wanted)}); only SentencePiece's nmt_nfkc is supported`,
        )
    }
}

/** Odd texts: scripts, joined signs, runs of spaces, contractions, digits, what looks like a special token. */
export const oddTexts: readonly string[] = [
  'Hello, world! It\'s "quoted" (twice).',
  "I'll we've DON'T o'clock 'tis",
  '  two  spaces\tand a tab\n\nand lines \r\n',
  'Zoë Ångström naïve façade Straße İstanbul ΣΟΦΟΣ ὈΔΥΣΣΕΎΣ',
  'привет мир שלום مرحبا नमस्ते สวัสดี',
  '你好，世界。 日本語テキスト 한국어',
  '👩‍🚀👨‍👩‍👧 🏳️‍🌈 e\u0301 \u200bzero\u00adwidth\ufeff',
  '3.14159 1,000,000 12345678 2026-12-01 a1b2c3 x² ½ ①',
  'snake_case camelCase https://example.org/?q=a&b=c#d user@example.org',
  '<s> </s> <|endoftext|> [CLS] [MASK] <unk> ▁ Ġ ##',
  '\u0000\u0007\u001b[31m \u2028\u2029 ﬁ ﬀ Ａｂｃ １２３',
]

/**
 * Tries a tokenizer on odd texts. Throws {@link ImportError} where one can't be read, or, of a tokenizer that keeps every
 * byte, does not come back.
 */
export function tryOut(tokenizer: Tokenizer, json: TokenizerJson, file: string): void {
  const isExact =
    !json.normalizer &&
    json.model.type === 'BPE' &&
    JSON.stringify(json.decoder ?? null).startsWith('{"type":"ByteLevel"')
  for (const text of oddTexts) {
    const { ids } = tokenizer.encode(text, { add_special_tokens: false })
    if (!ids.every((id) => Number.isInteger(id) && id >= 0))
      throw new ImportError('bad-file', `${file}: ${JSON.stringify(text)} has tokens without an id.`, {
        file,
      })
    if (!isExact) continue
    const back = tokenizer.decode([...ids], {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    })
    if (back.trim() !== text.trim())
      throw new ImportError(
        'bad-file',
        `${file}: ${JSON.stringify(text)} does not come back from its tokens, but as ${JSON.stringify(back)}.`,
        { file },
      )
  }
}
