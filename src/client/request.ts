/** Requests as programs make them, checked and in the engine's terms. */
import * as v from 'valibot'
import type { ClassifyInput, Message } from '../owner/api.ts'
import type { ChatOptions } from '../owner/chat-options.ts'
import { RequestError } from './errors.ts'

/** Of one request, in characters, before anything is read: far more than any model's context. */
const MOST_CHARACTERS = 4_000_000
const MOST_TEXTS = 2048

const text = v.pipe(v.string('It must be a text.'), v.maxLength(MOST_CHARACTERS, 'It is too long.'))
const filled = v.pipe(text, v.nonEmpty('It must not be empty.'))
const count = v.pipe(v.number('It must be a number.'), v.integer('It must be whole.'), v.minValue(1))
const content = v.union(
  [text, v.array(v.object({ type: v.literal('text'), text }))],
  'It must be a text, or a list of parts of the type text: pictures and sounds cannot be computed privately.',
)

const sampling = {
  model: filled,
  max_tokens: v.nullish(count),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 1),
  top_p: v.nullish(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1),
  stop: v.nullish(v.union([filled, v.pipe(v.array(filled), v.maxLength(4))])),
  seed: v.nullish(v.pipe(v.number(), v.integer())),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_usage: v.optional(v.boolean(), false) })),
}

const chatSchema = v.looseObject({
  ...sampling,
  max_completion_tokens: v.nullish(count),
  messages: v.pipe(
    v.array(
      v.object({
        role: v.picklist(
          ['system', 'developer', 'user', 'assistant'],
          'It must be system, user or assistant.',
        ),
        content,
      }),
      'It must be a list of messages.',
    ),
    v.nonEmpty('There is no message.'),
    v.maxLength(MOST_TEXTS),
  ),
})

const completionSchema = v.looseObject({
  ...sampling,
  prompt: v.union([filled, v.strictTuple([filled])], 'It must be one text.'),
})

const texts = v.pipe(v.array(filled), v.nonEmpty('There is no text.'), v.maxLength(MOST_TEXTS))

const embeddingSchema = v.looseObject({
  model: filled,
  input: v.union([filled, texts], 'It must be a text, or a list of texts.'),
  encoding_format: v.optional(v.picklist(['float', 'base64']), 'float'),
})

const classifySchema = v.looseObject({
  model: filled,
  input: v.union(
    [
      text,
      v.pipe(v.array(v.union([text, v.object({ text, pair: v.optional(text) })])), v.maxLength(MOST_TEXTS)),
    ],
    'It must be a text, or a list of texts or of pairs of them.',
  ),
})

/** What would change an answer and is not computed here, unless it asks for what is done anyway. */
const refused: Record<string, (value: unknown) => boolean> = {
  n: (value) => value === 1,
  best_of: (value) => value === 1,
  tools: isEmpty,
  functions: isEmpty,
  logit_bias: isEmpty,
  tool_choice: (value) => value === 'none' || value === 'auto',
  response_format: (value) => (value as { type?: unknown }).type === 'text',
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  suffix: (value) => value === '',
  echo: (value) => value === false,
  dimensions: () => false,
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

type Checked = Record<string, unknown> & v.InferOutput<v.ObjectSchema<typeof sampling, undefined>>

/** @throws RequestError */
function parse<S extends v.GenericSchema<unknown, Record<string, unknown>>>(schema: S, body: unknown) {
  const { success, output, issues } = v.safeParse(schema, body)
  if (!success) {
    const [issue] = issues
    const param = v.getDotPath(issue) ?? undefined
    throw new RequestError(
      'invalid-request',
      param === undefined
        ? 'The request must be an object.'
        : `${param}: ${issue.received === 'undefined' ? 'It is missing.' : issue.message}`,
      'Write the request as the documentation of chat completions has it.',
      param,
    )
  }
  for (const [param, value] of Object.entries(output)) {
    if (!Object.hasOwn(refused, param) || value === null || value === undefined) continue
    if (!refused[param](value))
      throw new RequestError('unsupported', `${param} is not computed privately.`, 'Leave it out.', param)
  }
  return output as v.InferOutput<S>
}

/** A reply that is to be made. */
export interface ReplyRequest {
  readonly model: string
  readonly messages: Message[]
  readonly options: Pick<ChatOptions, 'temperature' | 'topP' | 'seed' | 'stop'> & { maxTokens?: number }
  readonly isStreamed: boolean
  readonly isUsageStreamed: boolean
}

const replyRequest = (
  o: Checked,
  messages: Message[],
  maxTokens: number | null | undefined,
): ReplyRequest => ({
  model: o.model,
  messages,
  options: {
    temperature: o.temperature,
    topP: o.top_p,
    // The engine's seed has 32 bits.
    seed: o.seed === null || o.seed === undefined ? undefined : Number(BigInt.asUintN(32, BigInt(o.seed))),
    stop: typeof o.stop === 'string' ? [o.stop] : (o.stop ?? undefined),
    maxTokens: maxTokens ?? undefined,
  },
  isStreamed: o.stream,
  isUsageStreamed: o.stream_options?.include_usage ?? false,
})

/** @throws RequestError */
export function chatRequest(body: unknown): ReplyRequest {
  const o = parse(chatSchema, body)
  return replyRequest(o, withoutSystem(o.messages), o.max_completion_tokens ?? o.max_tokens)
}

/** @throws RequestError */
export function completionRequest(body: unknown): ReplyRequest {
  const o = parse(completionSchema, body)
  const content = typeof o.prompt === 'string' ? o.prompt : o.prompt[0]
  return replyRequest(o, [{ role: 'user', content }], o.max_tokens)
}

/** @throws RequestError */
export function embeddingRequest(body: unknown): { model: string; texts: string[]; isBase64: boolean } {
  const { model, input, encoding_format } = parse(embeddingSchema, body)
  return { model, texts: [input].flat(), isBase64: encoding_format === 'base64' }
}

/** @throws RequestError */
export function classifyRequest(body: unknown): { model: string; inputs: ClassifyInput[] } {
  const { model, input } = parse(classifySchema, body)
  return { model, inputs: [input].flat().map((one) => (typeof one === 'string' ? { text: one } : one)) }
}

type Written = v.InferOutput<typeof chatSchema>['messages'][number]

const plain = (content: Written['content']): string =>
  typeof content === 'string' ? content : content.map((part) => part.text).join('\n')

/** What the system says goes before the first question, as templates without system turns have it. */
function withoutSystem(messages: readonly Written[]): Message[] {
  const isSystem = ({ role }: Written) => role === 'system' || role === 'developer'
  const said = messages.filter(isSystem).map(({ content }) => plain(content))
  const turns = messages.flatMap(({ role, content }) =>
    role === 'user' || role === 'assistant' ? [{ role, content: plain(content) }] : [],
  )
  const first = turns.findIndex(({ role }) => role === 'user')
  if (first < 0)
    throw new RequestError('invalid-request', 'No message is of the user.', 'Add one.', 'messages')
  if (said.length > 0) turns[first].content = [...said, turns[first].content].join('\n\n')
  return turns
}
