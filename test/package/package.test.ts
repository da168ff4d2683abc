/** The package as its users get it: packed, installed into an empty project, typed, bundled, and run. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPackage } from '../../scripts/package/build.ts'
import { startEngineParties } from '../support/session/private-run.ts'
import { writeTinyBundle } from '../support/session/tiny-bundle.ts'

const exec = promisify(execFile)

let folder: string
let out: string
let tarball: string
let project: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-package-'))
  out = join(folder, 'built')
  project = join(folder, 'project')
  mkdirSync(project)
  await buildPackage(out)
  const packed = await exec('npm', ['pack', out, '--json', '--pack-destination', folder])
  tarball = join(folder, JSON.parse(packed.stdout)[0].filename)
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', type: 'module', private: true }),
  )
  await exec('npm', ['install', tarball, '--offline', '--no-audit', '--no-fund'], { cwd: project })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('nothing comes with it, and nothing of it is private', async () => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'))
  expect(Object.keys(packages)).toEqual(['', 'node_modules/sotto'])
  const { dependencies, sideEffects } = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8'))
  expect(dependencies).toBeUndefined()
  expect(sideEffects).toBe(false)
  const { stdout } = await exec('tar', ['-tzf', tarball])
  expect(stdout).not.toMatch(/safetensors|\.test\.|models\//)
})

test('publint and attw have nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: join(project, 'node_modules/sotto'), strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))))
  if (result.types === false) throw new Error('attw finds no types')
  // It is of ES modules alone, and for what knows `exports`: attw's profile esm-only.
  const counts = (problem: object) =>
    !('resolutionKind' in problem) || !['node10', 'node16-cjs'].includes(problem.resolutionKind as string)
  expect(result.problems.filter(counts)).toEqual([])
})

test('its types hold in a strict project without any of ours', async () => {
  writeFileSync(
    join(project, 'typed.ts'),
    `import { type ChatCompletion, OwnerError, Sotto } from 'sotto'
     export async function ask(sotto: Sotto): Promise<ChatCompletion> {
       for await (const chunk of await sotto.chat.completions.create({ model: 'm', messages: [], stream: true }))
         chunk.choices[0].delta.content?.toUpperCase()
       return sotto.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'a' }] })
     }
     export const codeOf = (error: unknown): string => error instanceof OwnerError ? error.code : ''
     // @ts-expect-error a role that nobody has
     export const wrong = (sotto: Sotto) => sotto.chat.completions.create({ model: 'm', messages: [{ role: 'x', content: '' }] })`,
  )
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])
    await exec(
      process.execPath,
      [
        resolve('node_modules/typescript/bin/tsc'),
        ...['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom', '--types', ''],
        ...['--module', module, '--moduleResolution', resolution, 'typed.ts'],
      ],
      { cwd: project },
    ).catch(({ stdout }) => {
      throw new Error(stdout)
    })
})

test('it answers in Node, with nothing native installed', async () => {
  const models = join(folder, 'models')
  await writeTinyBundle(models)
  const parties = await startEngineParties(models)
  try {
    const { dealerUrl, dealerKey } = parties.request()
    const options = { server: parties.server.url, dealer: { url: dealerUrl, key: dealerKey } }
    writeFileSync(
      join(project, 'run.js'),
      `import { Sotto } from 'sotto'
       const sotto = new Sotto(${JSON.stringify(options)})
       const messages = [{ role: 'user', content: 'Hello' }]
       const reply = await sotto.chat.completions.create({ model: 'tiny', messages, max_tokens: 4 })
       console.log(JSON.stringify(reply))
       await sotto.close()`,
    )
    const { stdout, stderr } = await exec(process.execPath, ['run.js'], { cwd: project })
    expect(stderr).toBe('')
    const { choices, usage } = JSON.parse(stdout)
    expect(choices[0].message.content).not.toBe('')
    expect(usage.hops).toBeGreaterThan(0)
  } finally {
    await parties.close()
  }
})
