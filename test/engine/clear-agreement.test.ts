import { fileURLToPath } from 'node:url'
import { Tokenizer } from '@huggingface/tokenizers'
import { expect, it } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { chatOf } from '../../src/model/files/manifest.ts'
import { encodeChat } from '../../src/model/tokenizer/encode-chat.ts'
import { agreement } from '../../tools/evaluate/agreement.ts'

it('the demo model answers privately as it does in floating point, and no value leaves its range', async () => {
  const bundle = await loadBundle(fileURLToPath(new URL('../../models/sotto-demo', import.meta.url)))
  const turns = [
    { role: 'user' as const, text: 'I am looking for a cheap hotel in Paris for two nights.' },
    { role: 'assistant' as const, text: 'Which day would you like to check in?' },
    { role: 'user' as const, text: 'Next Monday, please. Does it have wifi?' },
  ]
  const messages = turns.map(({ role, text }) => ({ role, content: text }))
  const tokenizer = new Tokenizer(bundle.tokenizer, {})
  const ids = encodeChat(tokenizer, chatOf(bundle.manifest), messages, { reply: false })
  const result = await agreement(bundle, [ids], { tokens: 24, rows: 12, oracle: true })
  expect(result).toMatchObject({ violations: 0, mismatches: 0 })
  expect(result.tokens).toBe(24)
  expect(result.top1).toBeGreaterThan(0.9)
  expect(Math.abs(result.perplexityChange)).toBeLessThan(0.01)
})
