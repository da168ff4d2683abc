import { byteSymbols } from '../../src/model/tokenizer/byte-symbols.ts'

/**
 * A vocabulary of byte-level byte-pair encoding, trained from scratch and saved in the Hugging Face `tokenizer.json`
 * format, which `@huggingface/tokenizers` encodes by. Every byte is a token, so every string can be encoded.
 */

/** How GPT-2 cuts text into words before merging; merges never cross a word's edge. */
const wordPattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** What a trained vocabulary is made of: ids are specials, then 256 bytes, then one per merge. */
export interface BpeVocabulary {
  specials: string[]
  /** Token ids, left and right; the n-th merge makes token `specials.length + 256 + n`. */
  merges: Array<[number, number]>
}

export const splitWords = (text: string): string[] => text.match(wordPattern) ?? []

const utf8 = new TextEncoder()

/** A pair of ids as one number, usable as a map key: ids stay far below 2^20. */
const pairKey = (left: number, right: number): number => left * 2 ** 20 + right

interface Word {
  ids: number[]
  count: number
}

/**
 * Learn merges from `texts` until the vocabulary has `size` tokens, or no pair occurs twice.
 * Ties go to the pair with the smaller ids, so that the same texts give the same vocabulary.
 */
export function trainBpe(texts: Iterable<string>, size: number, specials: string[]): BpeVocabulary {
  const byteBase = specials.length
  const words = countWords(texts, byteBase)
  const counts = new Map<number, number>()
  const where = new Map<number, Set<Word>>()
  const note = (word: Word, sign: 1 | -1) => {
    for (let i = 0; i + 1 < word.ids.length; i++) {
      const key = pairKey(word.ids[i], word.ids[i + 1])
      counts.set(key, (counts.get(key) ?? 0) + sign * word.count)
      if (sign < 0) continue
      const set = where.get(key)
      if (set) set.add(word)
      else where.set(key, new Set([word]))
    }
  }
  for (const word of words) note(word, 1)

  const merges: Array<[number, number]> = []
  for (let id = byteBase + 256; id < size; id++) {
    const best = mostFrequent(counts)
    if (best === undefined) break
    const left = Math.floor(best / 2 ** 20)
    const right = best % 2 ** 20
    merges.push([left, right])
    for (const word of where.get(best) ?? []) {
      // Entries of `where` may be out of date: a word that lost the pair is left unchanged here.
      note(word, -1)
      word.ids = mergePair(word.ids, left, right, id)
      note(word, 1)
    }
    counts.delete(best)
    where.delete(best)
  }
  return { specials, merges }
}

function countWords(texts: Iterable<string>, byteBase: number): Word[] {
  const frequency = new Map<string, number>()
  for (const text of texts)
    for (const word of splitWords(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  return [...frequency].map(([word, count]) => ({
    ids: Array.from(utf8.encode(word), (b) => b + byteBase),
    count,
  }))
}

function mostFrequent(counts: Map<number, number>): number | undefined {
  let best: number | undefined
  let most = 1
  for (const [key, count] of counts) {
    if (count > most || (count === most && best !== undefined && key < best)) {
      best = key
      most = count
    }
  }
  return best
}

function mergePair(ids: number[], left: number, right: number, merged: number): number[] {
  const out: number[] = []
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(merged)
      i++
    } else out.push(ids[i])
  }
  return out
}

/** The vocabulary as the contents of a Hugging Face `tokenizer.json`. */
export function toTokenizerJson({ specials, merges }: BpeVocabulary) {
  const tokens = [...specials, ...byteSymbols]
  for (const [left, right] of merges) tokens.push(tokens[left] + tokens[right])
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => `${tokens[left]} ${tokens[right]}`),
    },
  }
}
