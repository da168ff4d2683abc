/** What a page's configuration, or the command line, says for veiled models. */
import * as v from 'valibot'
import { type AttestationPolicy, policySchema } from '../../handshake/attestation/policy.ts'
import { ProtectionError } from '../protection.ts'
import { KIT_FORMAT, type Kit, parseKit } from './kit.ts'
import { KeyFileError, OWNER_FORMAT } from './owner-key.ts'

/** Strict: a policy under a mistyped name would be none. */
const settingsSchema = v.strictObject({
  /** Kits by the ids of their keys: each itself, or the address that it is at. */
  kits: v.optional(v.record(v.string(), v.union([v.string(), v.looseObject({})])), {}),
  /** What owners demand of the enclave that the engine runs in. */
  policy: v.optional(policySchema),
})

export interface VeiledSettings {
  readonly kits: Readonly<Record<string, string | Kit>>
  readonly policy?: AttestationPolicy
}

/** Throws `ProtectionError` `page-config`. */
export function veiledSettings(settings: unknown): VeiledSettings {
  const parsed = v.safeParse(settingsSchema, settings ?? {})
  if (parsed.success) return parsed.output as VeiledSettings
  const where = v.getDotPath(parsed.issues[0]) ?? 'the top level'
  throw new ProtectionError(
    'page-config',
    `What is said of veiled models is wrong at ${where}.`,
    'Correct the page’s config.json; docs/veiled.md has an example.',
  )
}

/** Most bytes of a kit: tokenizers are large. */
export const KIT_BYTES = 64 << 20

/** The settings with a kit that a person has given, as its file's text. Throws `ProtectionError` `key-needed`. */
export function withKit(settings: unknown, file: string): VeiledSettings {
  const known = veiledSettings(settings)
  try {
    const kit = parseKit(kitJson(file), 'The file')
    return { ...known, kits: { ...known.kits, [kit.key.keyId]: kit } }
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause
    throw new ProtectionError(
      'key-needed',
      cause.message,
      'The developer’s sotto model veil has written it: kit-NAME.json.',
    )
  }
}

function kitJson(file: string): unknown {
  if (file.length > KIT_BYTES) throw new KeyFileError('bad-file', 'The file is too large for a key.')
  let json: unknown
  try {
    json = JSON.parse(file)
  } catch (cause) {
    throw new KeyFileError('bad-file', 'The file is not JSON: it is damaged, or no key.', { cause })
  }
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined
  if (format === OWNER_FORMAT)
    throw new KeyFileError('other-kind', 'The file is a key by itself: a page needs the tokenizer with it.')
  if (format !== KIT_FORMAT) throw new KeyFileError('other-kind', 'The file is no key for a page.')
  return json
}
