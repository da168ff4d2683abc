/** Kits from a folder of keys, as data owners get it from a model's developer. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { READABLE_FILE } from '../attacks.ts'
import { KIT_FORMAT, type Kit, parseKit } from '../kit.ts'
import { KeyFileError, parseOwnerKey } from '../owner-key.ts'
import { readSecret } from './secret-file.ts'

/** Beside the tokenizer, of models that read texts, or pictures. */
export const TEXTS_FILE = 'texts.json'
export const PICTURES_FILE = 'pictures.json'

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
  const beside = (name: string): unknown => {
    const file = join(dir, 'tokenizer', name)
    return existsSync(file) ? readText(file) : undefined
  }
  const [texts, tokenizer, pictures] = [TEXTS_FILE, 'tokenizer.json', PICTURES_FILE].map(beside)
  const measured = join(dir, READABLE_FILE)
  const readable = existsSync(measured) ? readText(measured) : undefined
  const kits = files.map((file) =>
    parseKit(
      {
        format: KIT_FORMAT,
        key: parseOwnerKey(readSecret(file), file),
        texts,
        tokenizer,
        pictures,
        readable,
      },
      file,
    ),
  )
  return Object.fromEntries(kits.map((kit) => [kit.key.keyId, kit]))
}

function readText(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new KeyFileError(
      'bad-file',
      `${file} cannot be read: it belongs to the keys, and says how texts or pictures are read.`,
      { cause },
    )
  }
}
