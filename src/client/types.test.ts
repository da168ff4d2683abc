/** The shapes are OpenAI's: what its types allow is taken, and what comes back is what its types say. Checked by the compiler. */
import type OpenAI from 'openai'
import { expectTypeOf, test } from 'vitest'
import type { Sotto } from './sotto.ts'
import type { Stream } from './stream.ts'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  Completion,
  CompletionParams,
  EmbeddingList,
  EmbeddingParams,
  Model,
} from './types.ts'
import type { Usage } from './usage.ts'

type Whole<T> = T & { stream?: false }

test("answers are OpenAI's", () => {
  expectTypeOf<ChatCompletion>().toExtend<OpenAI.ChatCompletion>()
  expectTypeOf<ChatCompletionChunk>().toExtend<OpenAI.ChatCompletionChunk>()
  expectTypeOf<Usage>().toExtend<OpenAI.CompletionUsage>()
  expectTypeOf<EmbeddingList>().toExtend<OpenAI.CreateEmbeddingResponse>()
  expectTypeOf<Model>().toExtend<OpenAI.Model>()
  expectTypeOf<Stream<ChatCompletionChunk>>().toExtend<AsyncIterable<OpenAI.ChatCompletionChunk>>()
})

test("requests are OpenAI's", () => {
  expectTypeOf<ChatCompletionParams>().toExtend<OpenAI.ChatCompletionCreateParams>()
  expectTypeOf<Whole<CompletionParams>>().toExtend<OpenAI.CompletionCreateParams>()
  expectTypeOf<EmbeddingParams>().toExtend<OpenAI.EmbeddingCreateParams>()
})

test('what is streamed depends on the request', () => {
  const create = (sotto: Sotto) => ({
    whole: sotto.chat.completions.create({ model: 'm', messages: [] }),
    streamed: sotto.chat.completions.create({ model: 'm', messages: [], stream: true }),
    completion: sotto.completions.create({ model: 'm', prompt: '' }),
  })
  expectTypeOf<ReturnType<typeof create>>().toEqualTypeOf<{
    whole: Promise<ChatCompletion>
    streamed: Promise<Stream<ChatCompletionChunk>>
    completion: Promise<Completion>
  }>()
})
