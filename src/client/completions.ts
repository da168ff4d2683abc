/** `sotto.completions`: texts that go on. */
import { makeReply, stamp } from './replies.ts'
import { completionRequest } from './request.ts'
import type { Sessions } from './sessions.ts'
import { openStream, type Stream } from './stream.ts'
import type { Completion, CompletionParams, RequestOptions } from './types.ts'

/** How texts go on, in the shape of OpenAI's completions. */
export class Completions {
  readonly #sessions: Sessions
  readonly #padding?: 'none' | 'blocks'

  constructor(sessions: Sessions, padding?: 'none' | 'blocks') {
    this.#sessions = sessions
    this.#padding = padding
  }

  /** Goes on with a text; rejects as chat completions do. */
  create(params: CompletionParams & { stream?: false | null }, options?: RequestOptions): Promise<Completion>
  create(params: CompletionParams & { stream: true }, options?: RequestOptions): Promise<Stream<Completion>>
  create(params: CompletionParams, options?: RequestOptions): Promise<Completion | Stream<Completion>>
  async create(
    params: CompletionParams,
    options: RequestOptions = {},
  ): Promise<Completion | Stream<Completion>> {
    const request = completionRequest(params)
    const about = { ...stamp('cmpl'), object: 'text_completion' as const, model: request.model }
    const session = this.#sessions.of(request.model)
    const piece = (text: string, finish: Completion['choices'][number]['finish_reason']): Completion => ({
      ...about,
      choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
    })
    if (!request.isStreamed) {
      const { text, finish, usage } = await makeReply(session, request, options, {}, this.#padding)
      return { ...piece(text, finish), usage }
    }
    return openStream<Completion>(async (push, begun, signal) => {
      const heard = { begun, said: (text: string) => push(piece(text, null)) }
      const { finish, usage } = await makeReply(
        session,
        request,
        { ...options, signal },
        heard,
        this.#padding,
      )
      push(piece('', finish))
      if (request.isUsageStreamed) push({ ...about, choices: [], usage })
    }, options.signal)
  }
}
