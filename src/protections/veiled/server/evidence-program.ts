/** Runs a program that prints evidence. It is somebody else's: it may hang, start others, or print without end. */
import { type ChildProcess, spawn } from 'node:child_process'

/** What a program may take, and print. */
const PROGRAM_MS = 8000
const EVIDENCE_BYTES = 256 * 1024

/** Without process groups, only the shell can be ended. */
const HAS_GROUPS = process.platform !== 'win32'

/**
 * What a command prints, run by a shell with `env` besides this process's surroundings. Rejects where it fails, takes more
 * than `ms` milliseconds, or prints too much; then nothing that it has started is waited for, and all of it is killed.
 */
export function printed(
  command: string,
  env: Readonly<Record<string, string>>,
  ms = PROGRAM_MS,
): Promise<Buffer> {
  const child = spawn(command, {
    ...{ shell: true, detached: HAS_GROUPS, env: { ...process.env, ...env } },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = (): void => killAll(child)
  // In a group of its own it does not end with this process.
  process.once('exit', kill)
  let timer: ReturnType<typeof setTimeout> | undefined
  return new Promise<Buffer>((resolve, reject) => {
    const fail = (why: string): void => {
      kill()
      reject(new Error(why))
    }
    timer = setTimeout(fail, ms, 'It takes too long.')
    const parts: Buffer[] = []
    let size = 0
    child.once('error', reject)
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > EVIDENCE_BYTES) fail('It prints too much.')
      else parts.push(part)
    })
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(parts))
      else fail(`It has ended with ${signal ?? `exit code ${code}`}.`)
    })
  }).finally(() => {
    clearTimeout(timer)
    process.off('exit', kill)
    // Somebody who has left the group may hold the other end.
    child.stdout.destroy()
  })
}

/** A shell's children would go on, and hold its output open. */
function killAll(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (HAS_GROUPS) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
