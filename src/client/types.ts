/** Requests and answers in the shape of OpenAI's API, with what Sotto adds. */
import type { ModelListing } from '../owner/api.ts'
import type { Usage } from './usage.ts'

/** A part of a message; only texts can be computed privately. */
export interface TextPart {
  type: 'text'
  text: string
}

/** One turn of a conversation. Where a model knows no system turns, theirs is put before the first question. */
export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant'
  content: string | TextPart[]
  /** Not used. */
  name?: string
}

/** How the next tokens are chosen, and where they end. */
export interface SamplingParams {
  /** The longest reply, in tokens; as long as the model's context has room for if not given. */
  max_tokens?: number | null
  /** 0 always takes the likeliest token; 1 if not given. */
  temperature?: number | null
  /** Probability of the tokens to choose from; 1 if not given. */
  top_p?: number | null
  /** One to four texts that end the reply and are left out of it. */
  stop?: string | string[] | null
  /** Of the sampling; never of a mask. */
  seed?: number | null
  /** Send the reply as it is made. */
  stream?: boolean | null
  stream_options?: { include_usage?: boolean } | null
}

/** What to answer. What would change the reply and is not here, such as `tools` or `n`, is refused. */
export interface ChatCompletionParams extends SamplingParams {
  /** As {@link ModelList} has it. */
  model: string
  messages: ChatMessage[]
  /** Another name of `max_tokens`. */
  max_completion_tokens?: number | null
}

/** What to go on with: a text, for a model without a chat template, otherwise what the user says. */
export interface CompletionParams extends SamplingParams {
  model: string
  prompt: string | [string]
}

/** Of a whole reply or its last chunk. `length` also where the conversation has filled the model's memory. */
export type FinishReason = 'stop' | 'length'

/** A whole reply. */
export interface ChatCompletion {
  id: string
  object: 'chat.completion'
  /** Unix time in seconds. */
  created: number
  model: string
  choices: {
    index: number
    message: { role: 'assistant'; content: string; refusal: null }
    finish_reason: FinishReason
    logprobs: null
  }[]
  usage: Usage
  /** The oldest turns did not fit into the model's context and were left out. */
  is_cut: boolean
}

/** A piece of a reply. The last one says how it ended; one without choices, if it was asked for, what it cost. */
export interface ChatCompletionChunk {
  id: string
  object: 'chat.completion.chunk'
  created: number
  model: string
  choices: {
    index: number
    delta: { role?: 'assistant'; content?: string }
    finish_reason: FinishReason | null
    logprobs: null
  }[]
  usage?: Usage | null
}

/** How a text goes on: whole, or in pieces. */
export interface Completion {
  id: string
  object: 'text_completion'
  created: number
  model: string
  choices: { index: number; text: string; finish_reason: FinishReason | null; logprobs: null }[]
  usage?: Usage
}

/** Texts to turn into vectors. */
export interface EmbeddingParams {
  /** An encoder without a head. */
  model: string
  input: string | string[]
  /** `base64` is the bytes of little-endian 32-bit floats. */
  encoding_format?: 'float' | 'base64'
}

/** Vectors of length 1, one for each text. */
export interface EmbeddingList<Vector = number[]> {
  object: 'list'
  model: string
  data: { object: 'embedding'; index: number; embedding: Vector }[]
  usage: Usage
}

/** Texts to label: some, or pairs of them. */
export interface ClassifyParams {
  model: string
  input: string | (string | { text: string; pair?: string })[]
}

/** A label for each text, with the probability of every label. */
export interface ClassificationList {
  object: 'list'
  model: string
  data: {
    object: 'classification'
    index: number
    label: string
    probabilities: { label: string; probability: number }[]
    /** The text was longer than the model reads, and its end was left out. */
    is_cut: boolean
  }[]
  usage: Omit<Usage, 'prompt_tokens' | 'completion_tokens' | 'total_tokens'>
}

/** A model in OpenAI's form; `listing` has what the server says of it, and what it promises. */
export interface Model {
  id: string
  object: 'model'
  created: number
  owned_by: string
  listing: ModelListing
}

/** All models of the server. */
export interface ModelList {
  object: 'list'
  data: Model[]
}

/** Beside a request. */
export interface RequestOptions {
  /** Cancels the request at every party; it then rejects with the signal's reason. */
  signal?: AbortSignal
  /** Hears how far a download, a connection or the reading of the texts is. */
  onProgress?: (progress: { phase: string; done: number; total: number; text: string }) => void
}
