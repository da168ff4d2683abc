import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../../test/support/built/path.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'

/** What users start; most of what it does is tried on its bundle, which starts sooner. */
const started = fileURLToPath(new URL('../../bin/sotto.js', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(join(folder, 'models'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const sotto = (...args: string[]) =>
  spawnSync(process.execPath, [program(), ...args], { cwd: folder, encoding: 'utf8' })

test('an error shows where it comes from on request alone', () => {
  const show = (debug: string) =>
    spawnSync(process.execPath, [program(), 'model', 'inspect', 'nowhere'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, SOTTO_DEBUG: debug },
    })
  expect(show('')).toMatchObject({ status: 1, stderr: expect.not.stringMatching(/^ {4}at /m) })
  expect(show('1')).toMatchObject({ status: 1, stderr: expect.stringMatching(/^ {4}at /m) })
})

describe('the command line', () => {
  test('help at the top and for every command of ours', () => {
    expect(sotto('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('demo ') })
    for (const command of ['demo', 'serve', 'deal']) {
      expect(sotto(command, '--help')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`Usage: sotto ${command} [options]`),
      })
    }
    expect(sotto('help', 'deal').stdout).toBe(sotto('deal', '--help').stdout)
    expect(sotto()).toMatchObject({ status: 2, stderr: expect.stringContaining('demo ') })
    expect(sotto('model')).toMatchObject({ status: 2, stderr: expect.stringContaining('inspect ') })
  })

  test('version', () => {
    expect(spawnSync(process.execPath, [started, '--version'], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  test('a model whose protection needs a dealer is not served without one', () => {
    const { status, stderr } = sotto('serve')
    expect(status).toBe(1)
    expect(stderr).toContain('Secret sharing of tiny needs a dealer: give --dealer and --dealer-key.')
  })

  test('a demo of which one process fails to start ends with all of it', () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const { status, stderr } = sotto('demo', '--no-build', '--port', '0', '--models', empty)
    expect(status).toBe(1)
    expect(stderr).toContain('model server')
  })

  test('an identity key is made once, for its owner’s eyes', () => {
    const file = join(folder, 'keys', 'server.pem')
    const first = sotto('serve', '--print-key', '--key', file)
    expect(first.stdout).toMatch(/^[\w-]{43}\n$/)
    expect(sotto('serve', '--print-key', '--key', file).stdout).toBe(first.stdout)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('the dealer starts, says so, and stops on a signal', async () => {
    const child = spawn(process.execPath, [started, 'deal', '--allow-any', '--port', '0', '--json'], {
      cwd: folder,
    })
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (data) => resolve(String(data)))
      child.once('exit', () => reject(new Error('It ended early.')))
    })
    const { url, key } = JSON.parse(line) as { url: string; key: string }
    expect(key).toMatch(/^[\w-]{43}$/)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})

test('a completion in private says what the model says in clear', async () => {
  const complete = (protection: string) => {
    const common = [
      '--models',
      join(folder, 'models'),
      '--prompt',
      'hello',
      '--max-tokens',
      '4',
      '--temperature',
      '0',
    ]
    const { stdout, stderr } = sotto('complete', ...common, '--protection', protection, '--json')
    expect(stderr).toBe('')
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const secret = complete('shared')
  const clear = complete('clear')
  expect(secret).toMatchObject({ text: clear.text, ids: clear.ids, finish: clear.finish, link: 'ws' })
  expect(secret.hops).toBeGreaterThan(0)
  expect(clear.hops).toBe(0)
  expect([secret.protection, clear.protection]).toEqual(['shared', 'clear'])
})
