import { expect, test } from 'vitest'
import { demoConfig } from '../../src/model/architectures/config.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { onnxEngine } from '../onnx/engine.ts'
import { toTokenizerJson, trainBpe } from '../train/bpe.ts'
import { chatSpecials, type Dialogue } from '../train/dialogues.ts'
import { initialWeights } from '../train/train.ts'
import { firstReplies, perplexities, samplesPage } from './evaluate.ts'

const config = { ...demoConfig, vocab: 300, dim: 16, heads: 2, kvHeads: 1, layers: 1, ff: 16, context: 16 }
const dialogues: Dialogue[] = Array.from({ length: 12 }, (_, i) => ({
  id: String(i),
  turns: [
    { role: 'user', text: `Table ${i % 3}` },
    { role: 'assistant', text: 'Done, anything else?' },
  ],
}))
const tokenizer = toTokenizerJson(
  trainBpe(
    dialogues.flatMap((d) => d.turns.map((t) => t.text)),
    300,
    chatSpecials,
  ),
)
const chat: Manifest['chat'] = { template: '', bos: 0, user: 1, assistant: 2, end: 3, stop: [3] }

/** A model whose embedding, and so whose logits, are all zero. */
function indifferent(): Bundle {
  const tensors = initialWeights(config, 1)
  tensors.get('model.embed_tokens.weight')!.data.fill(0)
  const manifest = { config, chat, name: 'indifferent' } as Manifest
  return { manifest, tokenizer, tensors, hash: 'ab'.repeat(32), privateNames: new Set() }
}

test('a model that knows nothing has the vocabulary for a perplexity; n-grams do better', async () => {
  const engine = await onnxEngine(config, 1)
  const result = await perplexities(indifferent(), engine, dialogues, dialogues)
  await engine.close()
  expect(result.model).toBeCloseTo(config.vocab, 2)
  expect(result.tokens % config.context).toBe(0)
  expect(result.bigram).toBeLessThan(10)
  expect(result.fivegram).toBeLessThan(10)
})

test('samples are repeatable and shown verbatim', () => {
  const prompt: Dialogue[] = [{ id: 'x', turns: [{ role: 'user', text: 'T' }] }]
  const samples = firstReplies(indifferent(), prompt, 10)
  expect(samples).toEqual(firstReplies(indifferent(), prompt, 10))
  expect(samples.length).toBe(1)
  expect(samplesPage('tiny', 'ab'.repeat(32), [{ user: 'Hi', reply: 'Hello *you*' }])).toContain(
    '1. **User:** Hi\n\n   **Model:** Hello *you*',
  )
})
