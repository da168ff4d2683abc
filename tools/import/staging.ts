/** Folders that appear whole or not at all. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ImportError } from './error.ts'

/**
 * Runs `fill` on a new folder beside `out` and renames it to `out` at the end. If it fails, or the process is
 * interrupted, nothing is left behind. Throws {@link ImportError} where `out` exists already.
 */
export async function staged<T>(out: string, fill: (dir: string) => Promise<T>): Promise<T> {
  if (existsSync(out))
    throw new ImportError('exists', `${out} exists already. Choose another --out, or remove it first.`, {
      file: out,
    })
  const parent = dirname(resolve(out))
  mkdirSync(parent, { recursive: true })
  const dir = join(parent, `.${basename(out)}.${process.pid}.part`)
  const clear = (): void => rmSync(dir, { recursive: true, force: true })
  const interrupted = (): void => {
    clear()
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  try {
    // Only now: whoever sees the folder may interrupt.
    mkdirSync(dir)
    const result = await fill(dir)
    renameSync(dir, out)
    return result
  } finally {
    process.off('SIGINT', interrupted)
    process.off('SIGTERM', interrupted)
    clear()
  }
}
