import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtPath } from '../../test/support/built/path.ts'

const program = `
  import { makeLog } from ${JSON.stringify(builtPath('src/cli/common.ts'))}
  const log = makeLog('info')
  for (let n = 0; n < 20000; n++) log.info({ n }, 'a line')
  setTimeout(() => {
    process.stdout.write('alive')
    process.exit(0)
  }, 300)
`

/** Runs a process that logs a lot to `to`; resolves with what it says at the end. */
function logging(to: number | 'pipe'): Promise<{ text: string; code: number | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', to],
  })
  let text = ''
  child.stdout?.on('data', (data) => {
    text += data
  })
  return new Promise((done) => child.on('exit', (code) => done({ text, code })))
}

test.skipIf(!existsSync('/dev/full'))('a process whose log has no room lives on', async () => {
  expect(await logging(openSync('/dev/full', 'w'))).toEqual({ text: 'alive', code: 0 })
})

test('nor does a reader that has stalled hold it up', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-log-'))
  execFileSync('mkfifo', [join(folder, 'log')])
  // Open for reading as well, so that it is a pipe with a reader, who never reads.
  expect(await logging(openSync(join(folder, 'log'), 'r+'))).toEqual({ text: 'alive', code: 0 })
  expect(await logging('pipe')).toEqual({ text: 'alive', code: 0 })
  rmSync(folder, { recursive: true })
})
