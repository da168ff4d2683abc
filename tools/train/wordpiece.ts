/** A WordPiece vocabulary of whole words, suffixes and letters, saved in the Hugging Face `tokenizer.json` format. */

/** The special tokens of BERT, in id order. */
export const bertSpecials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']

export interface VocabularyOptions {
  /** Tokens in all. */
  size: number
  /** How many of them may be suffixes (`##...`). */
  suffixes: number
  /** Relative frequency of words elsewhere; a word counts with the larger of this and its share of the texts. */
  frequency?: ReadonlyMap<string, number>
  /** Words that must be in, whatever their frequency. */
  wanted?: Iterable<string>
}

const wordPattern = /[a-z]+|[0-9]/g
const characters = [...'abcdefghijklmnopqrstuvwxyz0123456789!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~£€']

/** How the tokenizer below cuts text into words, for counting: lower case, letters only, no accents. */
export const plainWords = (text: string): string[] =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().match(wordPattern) ?? []

/**
 * Chooses the tokens: specials, single characters, the commonest words, and the suffixes that the words left out need
 * most after their longest known beginning. The same texts give the same vocabulary.
 */
export function wordPieceVocabulary(texts: Iterable<string>, options: VocabularyOptions): string[] {
  const counts = new Map<string, number>()
  let total = 0
  for (const text of texts)
    for (const word of plainWords(text)) {
      counts.set(word, (counts.get(word) ?? 0) + 1)
      total++
    }
  const share = new Map([...counts].map(([word, count]) => [word, count / total]))
  for (const [word, frequency] of options.frequency ?? [])
    if (isKnown(word, counts)) share.set(word, Math.max(share.get(word) ?? 0, frequency))
  const letters = characters.filter((c) => /[a-z0-9]/.test(c)).map((c) => `##${c}`)
  const fixed = [...bertSpecials, ...characters, ...letters]
  const ranked = [...share].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([word]) => word)
  const wanted = [...(options.wanted ?? [])].filter((word) => /^[a-z]{2,}$/.test(word))
  const room = options.size - fixed.length - options.suffixes
  const words = new Set(wanted.slice(0, room))
  for (const word of ranked) {
    if (words.size >= room) break
    if (word.length > 1) words.add(word)
  }
  const suffixes = neededSuffixes(ranked, share, words, options.suffixes)
  return [...fixed, ...words, ...suffixes]
}

/** Whether a word, or what it is probably an inflection of, occurs in the texts: names from elsewhere do not. */
function isKnown(word: string, counts: ReadonlyMap<string, number>): boolean {
  if (!/^[a-z]{2,}$/.test(word)) return false
  if (counts.has(word)) return true
  const stem = /^(.{3,}?)(ies|s|es|ed|d|ing|ly|er|r|est)$/.exec(word)?.[1]
  return stem !== undefined && ['', 'e', 'y'].some((end) => counts.has(stem + end))
}

function neededSuffixes(
  ranked: string[],
  share: ReadonlyMap<string, number>,
  words: ReadonlySet<string>,
  count: number,
): string[] {
  const need = new Map<string, number>()
  for (const word of ranked) {
    if (words.has(word)) continue
    let cut = word.length - 1
    while (cut > 1 && !words.has(word.slice(0, cut))) cut--
    const suffix = `##${word.slice(cut)}`
    if (suffix.length > 3) need.set(suffix, (need.get(suffix) ?? 0) + share.get(word)!)
  }
  const order = [...need].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return order.slice(0, count).map(([suffix]) => suffix)
}

/**
 * The contents of a `tokenizer.json`: lower case without accents, "n't" read as "not", greedy longest match, and
 * `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` with token types 0 and 1.
 */
export function wordPieceJson(tokens: string[]) {
  const id = (token: string) => tokens.indexOf(token)
  const special = (token: string, type: number) => ({ SpecialToken: { id: token, type_id: type } })
  const sequence = (name: 'A' | 'B', type: number) => ({ Sequence: { id: name, type_id: type } })
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)]
  const replace = (pattern: string, content: string) => ({
    type: 'Replace',
    pattern: { Regex: pattern },
    content,
  })
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: bertSpecials.map((content) => ({
      id: id(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        {
          type: 'BertNormalizer',
          clean_text: true,
          handle_chinese_chars: true,
          strip_accents: true,
          lowercase: true,
        },
        replace('[\u2018\u2019]', "'"),
        replace(" ?n't\\b", ' not'),
      ],
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), special('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, i) => [token, i])),
    },
  }
}
