/**
 * Writes `test/vectors/tokenizers.json`: what Hugging Face's Rust tokenizers make of odd texts. They are 64 MB of binaries, so
 * they are no dependency of a checkout:
 *
 *   npm install --no-save tokenizers@0.23.2 && npx tsx scripts/tokenizer-vectors.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tokenizerCases } from '../test/support/tokenizer-cases.ts'
import { oddTexts } from '../tools/import/tokenizer-features.ts'

interface RustTokenizer {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }>
}

const name = process.argv[2] ?? 'tokenizers'
const { Tokenizer } = (await import(name)) as { Tokenizer: { fromString(json: string): RustTokenizer } }
const vectors: Record<string, number[][]> = {}
for (const [kind, json] of Object.entries(tokenizerCases)) {
  const tokenizer = Tokenizer.fromString(JSON.stringify(json))
  vectors[kind] = []
  for (const text of oddTexts)
    vectors[kind].push((await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds())
}
mkdirSync('test/vectors', { recursive: true })
writeFileSync('test/vectors/tokenizers.json', `${JSON.stringify(vectors)}\n`)
