/** Kits from a folder of keys, as data owners get it from a model's developer. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KIT_FORMAT, type Kit, parseKit } from '../kit.ts'
import { KeyFileError, parseOwnerKey } from '../owner-key.ts'
import { readSecret } from './secret-file.ts'

/** Beside the tokenizer. */
export const TEXTS_FILE = 'texts.json'

/**
 * The kits of a folder of keys, or of one key file in it: by the ids of their keys. Throws {@link KeyFileError}, also where
 * there is none.
 */
export function readKits(path: string): Record<string, Kit> {
  const isFolder = existsSync(path) && statSync(path).isDirectory()
  const dir = isFolder ? path : dirname(path)
  const files = isFolder
    ? readdirSync(path)
        .filter((file) => /^owner-.*\.json$/.test(file))
        .map((file) => join(path, file))
    : [path]
  if (files.length === 0)
    throw new KeyFileError('bad-file', `${path} holds no key of a data owner (owner-NAME.json).`)
  const texts = readText(join(dir, 'tokenizer', TEXTS_FILE))
  const tokenizer = readText(join(dir, 'tokenizer', 'tokenizer.json'))
  const kits = files.map((file) =>
    parseKit({ format: KIT_FORMAT, key: parseOwnerKey(readSecret(file), file), texts, tokenizer }, file),
  )
  return Object.fromEntries(kits.map((kit) => [kit.key.keyId, kit]))
}

function readText(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new KeyFileError(
      'bad-file',
      `${file} cannot be read: it belongs to the keys, and says how texts become ids.`,
      { cause },
    )
  }
}
