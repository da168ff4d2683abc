/** The part of `tokenizer.json` that is looked at here. */
export interface TokenizerJson {
  model: { type?: string; vocab?: unknown; merges?: unknown; [key: string]: unknown }
  added_tokens?: { id: number; content: string; special: boolean }[]
  [key: string]: unknown
}
