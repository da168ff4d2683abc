/** `sotto.chat.completions`: conversations. */
import { makeReply, stamp } from './replies.ts'
import { chatRequest, type ReplyRequest } from './request.ts'
import type { Sessions } from './sessions.ts'
import { openStream, type Stream } from './stream.ts'
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionParams, RequestOptions } from './types.ts'

/** Replies to conversations, in the shape of OpenAI's chat completions. */
export class ChatCompletions {
  readonly #sessions: Sessions
  readonly #padding?: 'none' | 'blocks'

  constructor(sessions: Sessions, padding?: 'none' | 'blocks') {
    this.#sessions = sessions
    this.#padding = padding
  }

  /**
   * Answers a conversation; with `stream`, piece by piece. Requests to one model are answered in turn. A conversation that
   * goes on where the last one ended is read from there.
   *
   * Rejects with `RequestError` for what is wrong with the request, `OwnerError` for what is wrong with the parties, and the
   * reason of `options.signal` once that is aborted. A stream throws the same from its loop.
   */
  create(
    params: ChatCompletionParams & { stream?: false | null },
    options?: RequestOptions,
  ): Promise<ChatCompletion>
  create(
    params: ChatCompletionParams & { stream: true },
    options?: RequestOptions,
  ): Promise<Stream<ChatCompletionChunk>>
  create(
    params: ChatCompletionParams,
    options?: RequestOptions,
  ): Promise<ChatCompletion | Stream<ChatCompletionChunk>>
  async create(
    params: ChatCompletionParams,
    options: RequestOptions = {},
  ): Promise<ChatCompletion | Stream<ChatCompletionChunk>> {
    const request = chatRequest(params)
    return request.isStreamed ? this.#stream(request, options) : this.#whole(request, options)
  }

  async #whole(request: ReplyRequest, options: RequestOptions): Promise<ChatCompletion> {
    const session = this.#sessions.of(request.model)
    const { text, finish, usage, isCut } = await makeReply(session, request, options, {}, this.#padding)
    return {
      ...stamp('chatcmpl'),
      object: 'chat.completion',
      model: request.model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text, refusal: null },
          finish_reason: finish,
          logprobs: null,
        },
      ],
      usage,
      is_cut: isCut,
    }
  }

  #stream(request: ReplyRequest, options: RequestOptions): Promise<Stream<ChatCompletionChunk>> {
    const about = {
      ...stamp('chatcmpl'),
      object: 'chat.completion.chunk' as const,
      model: request.model,
      ...(request.isUsageStreamed && { usage: null }),
    }
    const choice = (
      delta: ChatCompletionChunk['choices'][number]['delta'],
      finish: ChatCompletionChunk['choices'][number]['finish_reason'] = null,
    ): ChatCompletionChunk => ({
      ...about,
      choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    })
    const session = this.#sessions.of(request.model)
    return openStream<ChatCompletionChunk>(async (push, begun, signal) => {
      push(choice({ role: 'assistant', content: '' }))
      const heard = { begun, said: (content: string) => push(choice({ content })) }
      const { finish, usage } = await makeReply(
        session,
        request,
        { ...options, signal },
        heard,
        this.#padding,
      )
      push(choice({}, finish))
      if (request.isUsageStreamed) push({ ...about, choices: [], usage })
    }, options.signal)
  }
}
