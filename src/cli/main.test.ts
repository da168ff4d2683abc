import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { editDistance, nearest, numberOption, parse, UsageError } from './args.ts'

const program = fileURLToPath(new URL('../../bin/sotto.js', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(join(folder, 'models'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const sotto = (...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' })

describe('the command line', () => {
  test('help at the top and for every command of ours', () => {
    expect(sotto('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('sotto demo') })
    for (const command of ['demo', 'serve', 'deal']) {
      expect(sotto(command, '--help')).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`sotto ${command}:`),
      })
    }
    expect(sotto()).toMatchObject({ status: 2, stdout: expect.stringContaining('sotto demo') })
  })

  test('version', () => {
    expect(sotto('--version')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  test.each([
    [['demmo'], 'Did you mean "demo"?'],
    [['constructor'], 'no command "constructor"'],
    [['serve', '--modls', 'x'], 'Did you mean --models?'],
    [['serve', 'extra'], 'Unexpected argument "extra"'],
    [['serve', '--dealer', 'nonsense'], 'must be a URL'],
    [['serve', '--dealer', 'http://far.example', '--dealer-key', 'x'], 'must be reached by https'],
    [['serve', '--dealer', 'http://localhost:1', '--dealer-key', 'x'], '43 characters'],
    [['complete', '--prompt', 'x', '--protection', 'fixed'], '--protection must be one of shared, clear'],
    [['deal'], 'Which model servers'],
    [['deal', '--allow', 'x'], '43 characters'],
    [['deal', '--allow-any', '--log-level', 'loud'], '--log-level must be one of'],
    [['demo', '--models', 'nowhere'], 'There is no folder nowhere'],
  ])(
    '%j explains itself',
    (args, message) => {
      expect(sotto(...args)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(message),
        stdout: '',
      })
    },
    20_000,
  )

  test('a model whose protection needs a dealer is not served without one', () => {
    const { status, stderr } = sotto('serve')
    expect(status).toBe(1)
    expect(stderr).toContain('Secret sharing of tiny needs a dealer: give --dealer and --dealer-key.')
  }, 20_000)

  test('an identity key is made once, for its owner’s eyes', () => {
    const file = join(folder, 'keys', 'server.pem')
    const first = sotto('serve', '--print-key', '--key', file)
    expect(first.stdout).toMatch(/^[\w-]{43}\n$/)
    expect(sotto('serve', '--print-key', '--key', file).stdout).toBe(first.stdout)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('the dealer starts, says so, and stops on a signal', async () => {
    const child = spawn(process.execPath, [program, 'deal', '--allow-any', '--port', '0', '--json'], {
      cwd: folder,
    })
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (data) => resolve(String(data)))
      child.once('exit', () => reject(new Error('It ended early.')))
    })
    const { url, key } = JSON.parse(line) as { url: string; key: string }
    expect(key).toMatch(/^[\w-]{43}$/)
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ ok: true, servers: 0 })
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

test('the nearest word', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(nearest('modle', ['models', 'port'])).toBe('models')
  expect(nearest('zzzzz', ['models', 'port'])).toBeUndefined()
})

test('a value may begin with a dash, an option may not be one', () => {
  const options = { key: { type: 'string' }, port: { type: 'string' } } as const
  expect(parse(['--key', '-abc', '--port', '-1'], '', options).values).toEqual({ key: '-abc', port: '-1' })
  expect(parse(['--key', '--x_y'], '', options).values).toEqual({ key: '--x_y' })
  expect(() => parse(['--key', '--port', '1'], '', options)).toThrow(UsageError)
})

test('numbers have bounds', () => {
  expect(numberOption('n', '12')).toBe(12)
  for (const bad of ['', 'x', '1.5', '-1', '1e999']) expect(() => numberOption('n', bad)).toThrow(UsageError)
})
