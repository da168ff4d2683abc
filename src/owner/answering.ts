/** Answers to questions on pictures, in words. */
import type { Floats } from '../model/math.ts'
import type { RgbaPicture } from '../model/pictures/prepare.ts'
import { Sampler } from '../model/sample.ts'
import { decodeText, stopIds } from '../model/tokenizer/chat.ts'
import type { RunOptions } from '../protections/protection.ts'
import type { Classification, ClassifyInput } from './api.ts'
import { OwnerError } from './api.ts'
import type { Open } from './connect.ts'

/** Tokens of an answer at most. */
const MOST = 64

/** The likeliest answer, token by token. Throws `OwnerError` for what is no question on a picture, or too long a one. */
export function answering(
  open: Open,
  { picture, text }: ClassifyInput,
): (options: RunOptions) => Promise<Classification> {
  const { connection, format, model } = open
  if (!connection.show || !format || !picture)
    throw new OwnerError(
      'wrong-task',
      `The model '${model.name}' answers questions on pictures.`,
      'Give it a picture and a question, or choose another model.',
    )
  if (text.trim() === '') throw new OwnerError('empty', 'There is no question.', 'Ask something.')
  const asked = [...format.start, ...format.encode({ role: 'user', content: text }, true), ...format.reply]
  return (options) => answer(open, picture, asked, options)
}

async function answer(
  open: Open,
  picture: RgbaPicture,
  asked: readonly number[],
  options: RunOptions,
): Promise<Classification> {
  const { connection, model, tokenizer } = open
  const { view, token, places } = await connection.show!(picture, options)
  if (asked.filter((id) => id === token).length !== 1)
    throw new OwnerError(
      'wrong-task',
      `The model '${model.name}' does not say where a picture stands in its texts.`,
      'Ask its developer for a chat template with one picture.',
    )
  const ids = asked.flatMap((id) => (id === token ? new Array<number>(places).fill(id) : [id]))
  const most = Math.min(MOST, model.config.context - ids.length)
  if (most < 1)
    throw new OwnerError('context', 'The question is longer than the model reads.', 'Ask in fewer words.')
  const [likeliest, stop] = [new Sampler({ temperature: 0 }), stopIds(model)]
  const made: number[] = []
  let [read, next] = [0, ids]
  while (made.length < most) {
    let logits: Floats = new Float64Array()
    for (; next.length > 0; next = next.slice(connection.maxTokens)) {
      const ids = next.slice(0, connection.maxTokens)
      logits = await connection.run(read, { ids }, options)
      read += ids.length
    }
    const id = likeliest.pick(logits)
    if (stop.includes(id)) break
    made.push(id)
    next = [id]
  }
  const label = decodeText(tokenizer, made).trim()
  return { label, probabilities: [], isCut: made.length === most, view }
}
