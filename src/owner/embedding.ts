/** Vectors for texts, one private pass each: for encoders that were imported without a head. */
import type { TextModel } from '../model/texts.ts'
import { encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { Cancelled, isNoise } from '../protections/protection.ts'
import type { Embedding, Unanswered } from './api.ts'
import { OwnerError } from './api.ts'
import type { Running } from './chatting.ts'
import { type Open, reading } from './connect.ts'

/**
 * The mean of each text's last hidden states over its tokens, or the first token's, as Sentence-BERT has them (Reimers and
 * Gurevych 2019, section 3); scaled to length 1 unless the model says otherwise.
 * A text that takes the model beyond its ranges has no answer, and lets those behind it be read, so that nobody else learns of
 * it. Rejects with `OwnerError`, `cancelled` after `signal`, and with what sessions throw.
 */
export async function embed(
  open: Open,
  texts: readonly string[],
  run: Running,
): Promise<(Embedding | Unanswered)[]> {
  const { connection, model, tokenizer } = open
  const { config, name, pooling = usual } = model
  if (model.continuesText || config.head)
    throw new OwnerError(
      'wrong-task',
      `The model '${name}' gives no vectors of texts.`,
      'Choose an encoder without a head.',
    )
  const inputs = texts.map((text) =>
    encodeForEncoder(tokenizer, config, connection.maxTokens, `${pooling.prompt ?? ''}${text}`),
  )
  const empty = inputs.findIndex(({ ids }) => ids.length === 0)
  if (empty >= 0)
    throw new OwnerError('empty', `Text ${empty + 1} is empty.`, 'Leave it out, or write something.')
  const out: (Embedding | Unanswered)[] = []
  for (const [index, input] of inputs.entries()) {
    run.onEvent(reading(open, index, inputs.length, 'texts'))
    const started = performance.now()
    const next = inputs[index + 1]?.ids.length
    const { ids, isCut } = input
    try {
      const hidden = await connection.run(0, input, { next, signal: run.signal })
      out.push({ vector: pooled(hidden, ids.length, pooling), tokens: ids.length, isCut })
    } catch (error) {
      if (error instanceof Cancelled) throw givenUp(error)
      if (!isNoise(error)) throw error
      out.push({ error: OwnerError.from(error).toData() })
    }
    run.passed((performance.now() - started) / 1000 / ids.length)
  }
  run.onEvent(reading(open, inputs.length, inputs.length, 'texts'))
  return out
}

/** Some of the vectors are of no use: whoever stops gets none. */
export const givenUp = (cause?: unknown): OwnerError =>
  new OwnerError('cancelled', 'The texts were given up.', 'Send them again.', { cause })

type Pooling = NonNullable<TextModel['pooling']>

const usual: Pooling = { kind: 'mean', normalize: true }

/** One vector of `n` rows. */
function pooled(rows: ArrayLike<number>, n: number, { kind, normalize }: Pooling): number[] {
  const dim = rows.length / n
  const count = kind === 'cls' ? 1 : n
  const out = new Array<number>(dim).fill(0)
  for (let i = 0; i < count * dim; i++) out[i % dim] += rows[i] / count
  const length = Math.hypot(...out)
  return normalize && length > 0 ? out.map((value) => value / length) : out
}
