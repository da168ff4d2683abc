/** Key files on disk: readable by their owner alone, whole or not there. */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { KeyFileError } from '../owner-key.ts'

/** Most bytes of a key file. */
const MOST = 16 << 20

/** Writes JSON with mode 0600 into a temporary file, and puts it in place of what is there. */
export function writeSecret(path: string, value: object): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(file, `${JSON.stringify(value, null, 1)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** The text of a key file. Throws {@link KeyFileError}. */
export function readSecret(path: string): string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new KeyFileError('bad-file', `${path} can't be read. Is it there, and is it yours?`, { cause })
  }
  if (bytes.length > MOST) throw new KeyFileError('bad-file', `${path} is too large for a key file.`)
  return new TextDecoder().decode(bytes)
}
