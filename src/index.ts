// biome-ignore-all assist/source/organizeImports: in the order of the page that is made of it
/**
 * Sotto for programs, in a browser or in Node: OpenAI's calls, computed on secret shares. What the parties are and how they
 * compute is in the other entries.
 */

// Calls
export { Sotto, type SottoOptions } from './client/sotto.ts'
export type { PartiesOptions } from './client/parties.ts'
export { ChatCompletions } from './client/chat-completions.ts'
export { Completions } from './client/completions.ts'
export { Embeddings } from './client/embeddings.ts'
export { Models } from './client/models.ts'
export { Stream } from './client/stream.ts'
export type {
  ChatCompletionParams,
  ChatMessage,
  TextPart,
  SamplingParams,
  ChatCompletion,
  ChatCompletionChunk,
  FinishReason,
  CompletionParams,
  Completion,
  EmbeddingParams,
  EmbeddingList,
  ClassifyParams,
  ClassificationList,
  Model,
  ModelList,
  RequestOptions,
} from './client/types.ts'
export type { Usage } from './client/usage.ts'

// Errors
export { RequestError } from './client/errors.ts'
export { isUnanswered, OwnerError, type OwnerErrorData } from './owner/api.ts'
export { AddressError } from './transport/party-url.ts'

// The contract of an engine
export type {
  OwnerApi,
  PageConfig,
  ModelListing,
  OpenOptions,
  SessionInfo,
  Message,
  ClassifyInput,
  Classification,
  Unanswered,
  Answer,
  TaggedSpan,
  Embedding,
  OwnerEvent,
  OnEvent,
  Phase,
} from './owner/api.ts'
export type { ChatOptions, ChatResult, MeasureOptions, Padding, SystemPrompt } from './owner/chat-options.ts'
export type { PartyTraffic, Stats } from './owner/session-stats.ts'
export type { Notice, Pooled } from './protections/notice.ts'
export type { AuditCounts } from './protections/audit-counts.ts'
export type { Task } from './handshake/task.ts'
export type { BackendKind } from './kernels/choose.ts'
export type { LinkChoice } from './transport/connect.ts'
