/** Vectors for texts, one private pass each: for encoders that were imported without a head. */
import { encodeForEncoder } from '../model/tokenizer/encode-text.ts'
import { Cancelled } from '../protections/protection.ts'
import type { Embedding } from './api.ts'
import { OwnerError } from './api.ts'
import type { Running } from './chatting.ts'
import { type Open, reading } from './connect.ts'
import { givenUp } from './given-up.ts'

/**
 * The mean of each text's last hidden states over its tokens, scaled to length 1, as Sentence-BERT has it (Reimers and
 * Gurevych 2019, section 3). Rejects with `OwnerError`, `cancelled` after `signal`, and with what sessions throw.
 */
export async function embed(open: Open, texts: readonly string[], run: Running): Promise<Embedding[]> {
  const { connection, model, tokenizer } = open
  const { config, name } = model
  if (model.continuesText || config.head)
    throw new OwnerError(
      'wrong-task',
      `The model '${name}' gives no vectors of texts.`,
      'Choose an encoder without a head.',
    )
  const inputs = texts.map((text) => encodeForEncoder(tokenizer, config, connection.maxTokens, text))
  const empty = inputs.findIndex(({ ids }) => ids.length === 0)
  if (empty >= 0)
    throw new OwnerError('empty', `Text ${empty + 1} is empty.`, 'Leave it out, or write something.')
  const out: Embedding[] = []
  for (const [index, input] of inputs.entries()) {
    run.onEvent(reading(open, index, inputs.length, 'texts'))
    const started = performance.now()
    const next = inputs[index + 1]?.ids.length
    const hidden = await connection.run(0, input, { next, signal: run.signal }).catch((error: unknown) => {
      if (!(error instanceof Cancelled)) throw error
      throw givenUp(error)
    })
    const { ids, isCut } = input
    out.push({ vector: unitMean(hidden, ids.length), tokens: ids.length, isCut })
    run.passed((performance.now() - started) / 1000 / ids.length)
  }
  run.onEvent(reading(open, inputs.length, inputs.length, 'texts'))
  return out
}

/** The mean of `n` rows, scaled to length 1. */
function unitMean(rows: ArrayLike<number>, n: number): number[] {
  const dim = rows.length / n
  const sum = new Array<number>(dim).fill(0)
  for (let i = 0; i < rows.length; i++) sum[i % dim] += rows[i]
  const length = Math.hypot(...sum)
  return length === 0 ? sum : sum.map((value) => value / length)
}
