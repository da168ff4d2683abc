import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtPath } from '../../test/support/built/path.ts'

const from = (file: string) => JSON.stringify(builtPath(file))

test('a start that is stopped in the middle leaves no encoded weights behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-start-'))
  const program = `
    import { started } from ${from('src/cli/common.ts')}
    import { EncodedWriter } from ${from('src/protections/shared/server/encoded-file.ts')}
    new EncodedWriter(${JSON.stringify(join(folder, 'weights.encoded'))}, 'key', 1)
    setInterval(() => process.stdout.write('writing'), 20)
    await started(new Promise(() => undefined))
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  expect(readdirSync(folder)).toHaveLength(1)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([143, null])
  expect(readdirSync(folder)).toEqual([])
  rmSync(folder, { recursive: true })
})
