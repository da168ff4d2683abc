/** `sotto.embeddings`: vectors for texts. */
import { base64 } from '@scure/base'
import { embeddingRequest } from './request.ts'
import type { Sessions } from './sessions.ts'
import type { EmbeddingList, EmbeddingParams, RequestOptions } from './types.ts'
import { usageOf } from './usage.ts'

/** Vectors for texts, by encoders without a head, in the shape of OpenAI's embeddings. */
export class Embeddings {
  readonly #sessions: Sessions

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  /** A vector for each text, in order; rejects as chat completions do. */
  create(
    params: EmbeddingParams & { encoding_format?: 'float' },
    options?: RequestOptions,
  ): Promise<EmbeddingList>
  create(params: EmbeddingParams, options?: RequestOptions): Promise<EmbeddingList<number[] | string>>
  async create(
    params: EmbeddingParams,
    { signal, onProgress }: RequestOptions = {},
  ): Promise<EmbeddingList<number[] | string>> {
    const { model, texts, isBase64 } = embeddingRequest(params)
    const { result, cost } = await this.#sessions.of(model).use(
      (owner) => owner.embed(texts),
      signal,
      (event) => event.type === 'progress' && onProgress?.(event),
    )
    return {
      object: 'list',
      model,
      data: result.map(({ vector }, index) => ({
        object: 'embedding',
        index,
        embedding: isBase64 ? base64OfFloats(vector) : vector,
      })),
      usage: usageOf(
        result.reduce((sum, { tokens }) => sum + tokens, 0),
        0,
        cost,
      ),
    }
  }
}

/** Little-endian 32-bit floats, as OpenAI has them. */
function base64OfFloats(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length))
  vector.forEach((value, i) => {
    view.setFloat32(4 * i, value, true)
  })
  return base64.encode(new Uint8Array(view.buffer))
}
