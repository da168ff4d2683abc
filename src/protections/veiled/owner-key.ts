/** The key file of a data owner: what undoes the veil at a model's two ends, and nothing of what is inside. */
import * as v from 'valibot'
import { fromBase64Url } from '../../handshake/encoding.ts'

/** A key file can't be used; `message` says which, why, and what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
  readonly code: 'bad-file' | 'other-kind' | 'other-key' | 'no-such-end'

  constructor(code: KeyFileError['code'], message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}

const seed = v.pipe(
  v.string(),
  v.check((text) => isSeed(text), 'expected 32 bytes of base64url'),
)

function isSeed(text: string): boolean {
  try {
    return fromBase64Url(text, 32).length === 32
  } catch {
    return false
  }
}

/** Bounded: tables of these sizes are made of a file that somebody sent. */
const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 22))

const items = v.strictObject({
  kind: v.literal('items'),
  size,
  fixed: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.maxLength(16))),
  seed,
})
const pixels = v.strictObject({ kind: v.literal('pixels'), size, seed })
const stream = v.strictObject({
  kind: v.literal('stream'),
  size,
  norm: v.picklist(['rms', 'layer', 'carried']),
  seed,
})

/** Of every key file. */
export const keyHead = {
  /** Names the key: the veiled model has it, too. */
  keyId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits')),
  /** Whom the key is for. */
  tenant: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'expected letters, digits, - and _')),
  created: v.pipe(v.string(), v.isoTimestamp()),
  group: v.picklist(['bits', 'full']),
  family: v.pipe(v.string(), v.maxLength(64)),
}

export const OWNER_FORMAT = 'sotto-veil-owner/1'

const ownerKey = v.strictObject({
  format: v.literal(OWNER_FORMAT),
  ...keyHead,
  ends: v.strictObject({
    tokens: v.optional(items),
    labels: v.optional(items),
    patches: v.optional(items),
    pixels: v.optional(pixels),
    rows: v.optional(stream),
  }),
  /** Names of the labels in the model's own order. */
  labels: v.optional(v.array(v.pipe(v.string(), v.maxLength(256)))),
})

/** As the file has it; seeds are base64url. */
export type OwnerKey = v.InferOutput<typeof ownerKey>

/** Reads a key file's text; `file` names it in errors. Throws {@link KeyFileError}. */
export function parseOwnerKey(text: string, file: string): OwnerKey {
  return checkOwnerKey(parseKeyJson(text, file, OWNER_FORMAT, 'a key of a data owner'), file)
}

/** Checks what a key file's text says. Throws {@link KeyFileError}. */
export function checkOwnerKey(json: object, file: string): OwnerKey {
  const result = v.safeParse(ownerKey, json)
  if (!result.success) throw malformed(file, result.issues[0])
  const { ends, labels } = result.output
  for (const { size, fixed } of [ends.tokens, ends.labels, ends.patches].filter((end) => end !== undefined))
    if (fixed?.some((id) => id >= size))
      throw new KeyFileError(
        'bad-file',
        `${file} keeps a number that is not below ${size}. Get the key again.`,
      )
  if (labels && labels.length !== ends.labels?.size)
    throw new KeyFileError('bad-file', `${file} names ${labels.length} labels, of others. Get the key again.`)
  return result.output
}

/** A JSON object of a format. Throws {@link KeyFileError}; nothing of the text is in its message. */
export function parseKeyJson(text: string, file: string, format: string, what: string): object {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new KeyFileError('bad-file', `${file} is not JSON: it is damaged, or no key file.`)
  }
  if (typeof json !== 'object' || json === null || !('format' in json))
    throw new KeyFileError('bad-file', `${file} is no key file.`)
  if (json.format !== format)
    throw new KeyFileError('other-kind', `${file} is not ${what} (${format}). Give the file that is.`)
  return json
}

/** What a file's first issue is, without the value that has it: values may be secrets. */
export function malformed(file: string, issue: v.BaseIssue<unknown>): KeyFileError {
  const path = issue.path?.map(({ key }) => String(key)).join('.') ?? ''
  return new KeyFileError('bad-file', `${file}: "${path}" is not as it should be. Get the key again.`)
}
