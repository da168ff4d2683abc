import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'sotto-key-'))
afterEach(() => {
  vi.doUnmock('node:fs')
  vi.resetModules()
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
})

test('a key is made once, whole, and for its owner only', async () => {
  const { loadIdentity } = await import('./key-file.ts')
  const path = join(folder, 'own.pem')
  const first = loadIdentity(path)
  expect(loadIdentity(path).publicKey).toEqual(first.publicKey)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['own.pem'])
})

test('a disk that is full half way leaves no key file behind, and the next start makes one', async () => {
  const path = join(folder, 'full.pem')
  vi.doMock('node:fs', async (real) => {
    const fs = await real<typeof import('node:fs')>()
    const writeFileSync: typeof fs.writeFileSync = (file, data, options) => {
      fs.writeFileSync(file, String(data).slice(0, 20), options)
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    }
    return { ...fs, writeFileSync }
  })
  const full = await import('./key-file.ts')
  expect(() => full.loadIdentity(path)).toThrow('no space')
  expect(readdirSync(folder)).toEqual([])
  vi.doUnmock('node:fs')
  vi.resetModules()
  const { loadIdentity } = await import('./key-file.ts')
  expect(loadIdentity(path).publicKey).toHaveLength(32)
})
