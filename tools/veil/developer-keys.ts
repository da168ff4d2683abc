/** The developer's key file: every key that a model was veiled with, each with the seed of all its maps. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { randomBytes } from '../../src/handshake/crypto.ts'
import { fromBase64Url, toBase64Url, toHex } from '../../src/handshake/encoding.ts'
import type { Group } from '../../src/protections/veiled/ends.ts'
import { readSecret, writeSecret } from '../../src/protections/veiled/node/secret-file.ts'
import { KeyFileError, keyHead, malformed, parseKeyJson } from '../../src/protections/veiled/owner-key.ts'

const FORMAT = 'sotto-veil-developer/1'

const developerKey = v.strictObject({ ...keyHead, seed: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)) })
const developerFile = v.strictObject({ format: v.literal(FORMAT), keys: v.array(developerKey) })

/** One key; `seed` is base64url. */
export type DeveloperKey = v.InferOutput<typeof developerKey>

/** Where the file is in a folder of keys. */
export const developerFileOf = (dir: string): string => join(dir, 'developer.json')

/** Where a tenant's key is: one that replaces another does not overwrite it, for its model may still be served. */
export const ownerFileOf = (dir: string, { tenant, keyId }: Pick<DeveloperKey, 'tenant' | 'keyId'>): string =>
  join(dir, `owner-${tenant}-${keyId.slice(0, 8)}.json`)

/** Where it is together with the tokenizer, as pages take it. */
export const kitFileOf = (dir: string, { tenant, keyId }: Pick<DeveloperKey, 'tenant' | 'keyId'>): string =>
  join(dir, `kit-${tenant}-${keyId.slice(0, 8)}.json`)

/** All keys of a folder, the oldest first; none where there is no file. Throws {@link KeyFileError}. */
export function readDeveloperKeys(dir: string): DeveloperKey[] {
  const file = developerFileOf(dir)
  if (!existsSync(file)) return []
  const json = parseKeyJson(readSecret(file), file, FORMAT, "a developer's key file")
  const result = v.safeParse(developerFile, json)
  if (!result.success) throw malformed(file, result.issues[0])
  return result.output.keys
}

/** Adds a key to a folder's. */
export function addDeveloperKey(dir: string, key: DeveloperKey): void {
  const keys = readDeveloperKeys(dir).filter(({ keyId }) => keyId !== key.keyId)
  writeSecret(developerFileOf(dir), { format: FORMAT, keys: [...keys, key] })
}

/** A new key of the system's generator; its id tells nothing of it. */
export const newDeveloperKey = (about: { tenant: string; group: Group; family: string }): DeveloperKey => ({
  keyId: toHex(randomBytes(16)),
  created: new Date().toISOString(),
  ...about,
  seed: toBase64Url(randomBytes(32)),
})

/** The key whose id begins so. Throws {@link KeyFileError}. */
export function findDeveloperKey(dir: string, begin: string): DeveloperKey {
  const found = readDeveloperKeys(dir).filter(({ keyId }) => keyId.startsWith(begin))
  if (found.length === 1) return found[0]
  throw new KeyFileError(
    'other-key',
    `${developerFileOf(dir)} has ${found.length === 0 ? 'no key' : 'several keys'} whose id begins with ${begin}.`,
  )
}

/** The 32 bytes of a key's seed. Throws {@link KeyFileError}. */
export function seedOf({ seed, keyId }: DeveloperKey): Uint8Array {
  try {
    return fromBase64Url(seed, 32)
  } catch (cause) {
    throw new KeyFileError('bad-file', `The seed of key ${keyId.slice(0, 8)} is damaged.`, { cause })
  }
}
