/** All that a data owner has of a veiled model: the key, the tokenizer, and what else makes ids of texts. One file. */
import * as v from 'valibot'
import { manifestSchema } from '../../model/files/manifest.ts'
import type { ModelTexts } from '../../model/texts.ts'
import { readableSchema } from './attacks.ts'
import { checkOwnerKey, KeyFileError, type OwnerKey } from './owner-key.ts'
import { picturesSchema, type VeiledPictures } from './pictures.ts'

export const TEXTS_FORMAT = 'sotto-veil-texts/1'
export const KIT_FORMAT = 'sotto-veil-kit/1'

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 20))

/** What makes ids of texts, besides the tokenizer. Stays with developer and owners. */
const texts = v.object({
  format: v.literal(TEXTS_FORMAT),
  name: v.pipe(v.string(), v.maxLength(200)),
  /** Whether it writes on, token by token. */
  continuesText: v.boolean(),
  context: count,
  /** Rows of the token type table; encoders only. */
  types: v.optional(count),
  /** A classifier of pairs of texts. */
  pairs: v.optional(v.boolean()),
  /** What a classifier's logits become, where that is not one label's probability among several. */
  outputs: v.optional(v.picklist(['sigmoid', 'raw'])),
  chat: manifestSchema.entries.chat,
  text: manifestSchema.entries.text,
})
/** As the file has it. */
export type VeiledTexts = v.InferOutput<typeof texts>

const kit = v.object({
  format: v.literal(KIT_FORMAT),
  key: v.looseObject({}),
  texts: v.optional(texts),
  tokenizer: v.optional(v.looseObject({})),
  pictures: v.optional(picturesSchema),
  readable: v.optional(readableSchema),
})

/** A kit as it travels: JSON. */
export interface Kit {
  readonly format: typeof KIT_FORMAT
  readonly key: OwnerKey
  /** Of models that read texts. */
  readonly texts?: VeiledTexts
  readonly tokenizer?: object
  /** Of models that read pictures. */
  readonly pictures?: VeiledPictures
  /** Where it has been measured: which tokens a host with similar text would read. */
  readonly readable?: v.InferOutput<typeof readableSchema>
}

/** Checks a kit; `what` names it in errors. Throws {@link KeyFileError}. */
export function parseKit(value: unknown, what: string): Kit {
  const parsed = v.safeParse(kit, value)
  if (!parsed.success)
    throw new KeyFileError(
      'bad-file',
      `${what} is wrong at ${v.getDotPath(parsed.issues[0]) ?? 'the top level'}. Get it again.`,
    )
  const { texts, tokenizer, pictures } = parsed.output
  if (!pictures && !(texts && tokenizer))
    throw new KeyFileError(
      'bad-file',
      `${what} says neither how texts nor how pictures are read. Get it again.`,
    )
  return { ...parsed.output, key: checkOwnerKey(parsed.output.key, what) }
}

/** Of models that read no texts. */
const noTokens = {
  ...{ normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null },
  ...{ added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] } },
}

/** What a kit says of its model's texts: of one that reads pictures, its name and labels alone. */
export function textsOfKit({ key, texts: own, tokenizer = noTokens, pictures }: Kit): ModelTexts {
  const labels = key.labels && { kind: 'classify' as const, labels: [...key.labels] }
  if (!own) {
    const { name = '' } = pictures ?? {}
    return { tokenizer, model: { name, continuesText: false, config: { context: 1, head: labels } } }
  }
  const { name, chat, text, context, types, pairs, outputs, continuesText } = own
  const head = labels && { ...labels, pairs, outputs }
  return { tokenizer, model: { name, chat, text, continuesText, config: { context, types, head } } }
}
