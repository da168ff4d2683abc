import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { veiledSettings } from '../keyring.ts'
import { attesterOf } from './attester.ts'
import { printed } from './evidence-program.ts'
import { Turns } from './turns.ts'

test('a program that hangs is given up, with all that it has started', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sotto-program-'))
  const file = join(dir, 'pid')
  await expect(printed(`sh -c 'echo $$ > ${file}; exec sleep 600' | cat`, {}, 2000)).rejects.toThrow(
    'takes too long',
  )
  const pid = Number(readFileSync(file, 'utf8'))
  await expect.poll(() => isAlive(pid)).toBe(false)
  rmSync(dir, { recursive: true })
})

function isAlive(pid: number): boolean {
  try {
    // One that has ended, and that nobody has asked for yet, is still listed.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('no more wait for a program than there are places', async () => {
  const turns = new Turns(1, 1)
  let end = (): void => undefined
  const first = turns.take(() => new Promise<void>((resolve) => (end = resolve)))
  const second = turns.take(async () => 'second')
  await expect(turns.take(async () => 'third')).rejects.toMatchObject({ code: 'busy' })
  end()
  await first
  expect(await second).toBe('second')
  expect(await turns.take(async () => 'later')).toBe('later')
})

test.each(['exit 3', 'echo {}', 'simulator.pm'])(
  'a server does not start with %j as evidence',
  async (it) => {
    await expect(attesterOf(it)).rejects.toThrow('shows no evidence of an enclave')
  },
)

test('settings with a mistyped policy are refused', () => {
  expect(() => veiledSettings({ kits: {}, Policy: {} })).toThrow('Policy')
})
