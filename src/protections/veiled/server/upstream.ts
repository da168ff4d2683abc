/**
 * An engine that runs already, on as many machines as it likes, behind OpenAI's `/v1/completions`: vLLM and llama.cpp's
 * server take prompts as arrays of ids, and keep what they have read of one that begins the same.
 */
import * as v from 'valibot'
import { SessionError } from '../../../handshake/errors.ts'
import { wholeBody } from '../../../transport/body.ts'
import { type Cloud, readerOf } from './checkpoint.ts'
import { type DecoderEngine, EngineError, TOP, type TopLogits } from './engine.ts'
import { decoderFamily } from './onnx/decoder-graph.ts'

/** One answer. */
const ANSWER_BYTES = 1 << 20
const ANSWER_MS = 120_000

const logprob = v.pipe(v.number(), v.finite())
/** vLLM's form, with `return_tokens_as_token_ids`, and llama.cpp's. */
const answerSchema = v.object({
  choices: v.pipe(
    v.array(
      v.object({
        logprobs: v.union([
          v.object({ top_logprobs: v.tuple([v.record(v.string(), logprob)]) }),
          v.object({
            content: v.tuple([
              v.object({
                top_logprobs: v.array(
                  v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(0)), logprob }),
                ),
              }),
            ]),
          }),
        ]),
      }),
    ),
    v.minLength(1),
  ),
})

/** An engine that runs already. */
export interface Upstream {
  readonly url: string
  /** What it wants to be shown by whoever asks. */
  readonly key?: string
}

/**
 * Asks once, to know how many of the likeliest tokens it tells. Rejects with {@link EngineError} where it does not answer as
 * it should.
 */
export async function loadUpstream(cloud: Cloud, upstream: Upstream): Promise<DecoderEngine> {
  const family = decoderFamily(cloud.config.model_type)
  if (!family)
    throw new EngineError(`${cloud.dir} is no model that writes on: an upstream serves only those.`)
  const { vocab, context } = family.sizes({ read: readerOf(cloud) })
  const ask = (ids: readonly number[], signal: AbortSignal) => likeliest(upstream, ids, vocab, signal)
  const first = await ask([0], AbortSignal.timeout(ANSWER_MS)).catch((cause: unknown) => {
    throw new EngineError(
      `${upstream.url} does not answer /v1/completions as it should: ${reasonOf(cause)}`,
      {
        cause,
      },
    )
  })
  const top = Math.min(TOP, vocab, first.length)
  return {
    ...{ kind: 'decoder', name: 'an engine behind the server', vocab, context, top },
    async open() {
      // Ids that were read; the engine itself is asked with all of them every time.
      let read: number[] = []
      return {
        async next(base, ids, signal): Promise<TopLogits> {
          read = [...read.slice(0, base), ...ids]
          const best = await ask(read, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])).catch(
            (cause: unknown) => {
              signal.throwIfAborted()
              throw new SessionError('internal', 'The engine behind the server does not answer.', { cause })
            },
          )
          if (best.length < top) throw new SessionError('internal', 'The engine has told of too few tokens.')
          const told = best.slice(0, top)
          return {
            ids: Uint32Array.from(told, ([id]) => id),
            logits: Float32Array.from(told, ([, value]) => value),
          }
        },
        close: async () => undefined,
      }
    },
    close: async () => undefined,
  }
}

/** The likeliest next tokens, the likeliest first, by the logarithms of their probabilities. */
async function likeliest(
  { url, key }: Upstream,
  ids: readonly number[],
  vocab: number,
  signal: AbortSignal,
): Promise<[id: number, logprob: number][]> {
  const response = await fetch(new URL('v1/completions', url.endsWith('/') ? url : `${url}/`), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    // A key, and ids, are for this address alone.
    redirect: 'error',
    body: JSON.stringify({
      ...{ prompt: ids, max_tokens: 1, temperature: 0, logprobs: TOP, stream: false },
      // vLLM
      ...{ return_tokens_as_token_ids: true, add_special_tokens: false, detokenize: false },
      // llama.cpp
      ...{ n_probs: TOP, cache_prompt: true },
    }),
    signal,
  })
  if (!response.ok) throw new EngineError(`status ${response.status}`)
  const json: unknown = JSON.parse(new TextDecoder().decode(await wholeBody(response, ANSWER_BYTES)))
  const parsed = v.safeParse(answerSchema, json)
  if (!parsed.success) throw new EngineError(`no "${v.getDotPath(parsed.issues[0]) ?? 'choices'}" in it.`)
  const { logprobs } = parsed.output.choices[0]
  const told = new Map<number, number>(
    'content' in logprobs
      ? logprobs.content[0].top_logprobs.map((one) => [one.id, one.logprob])
      : Object.entries(logprobs.top_logprobs[0]).map(([key, value]) => [idOf(key), value]),
  )
  if (![...told.keys()].every((id) => Number.isInteger(id) && id < vocab))
    throw new EngineError('its tokens are not ids of this model.')
  return [...told].sort(([, a], [, b]) => b - a)
}

const idOf = (key: string): number => Number(/^token_id:(\d+)$/.exec(key)?.[1] ?? Number.NaN)

const reasonOf = (error: unknown): string => (error instanceof EngineError ? error.message : 'no answer.')
