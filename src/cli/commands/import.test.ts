/** The command as its users run it, in a process of its own. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { program } from '../../../test/support/built/path.ts'
import { newFolder, smallConfigs, writeFolder } from '../../../test/support/checkpoint-folder.ts'
import type { ModelConfig, Tensors } from '../../model/architectures/config.ts'
import { tensorShapes } from '../../model/graph/tensors.ts'

let root: string
beforeEach(() => {
  root = newFolder()
})
afterEach(() => rmSync(root, { recursive: true }))

const sotto = (...args: string[]) =>
  spawnSync(process.execPath, [program(), 'model', ...args], { cwd: root, encoding: 'utf8' })

/** One number in every place: quick to make. */
const even = (config: ModelConfig): Tensors =>
  new Map(
    [...tensorShapes(config)].map(([name, shape]) => [
      name,
      { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.02) },
    ]),
  )

test('import with calibration, then inspect and calibrate', () => {
  writeFolder(join(root, 'model'), {
    config: smallConfigs.gpt2,
    files: { 'tokenizer_config.json': { eos_token: '<|endoftext|>' } },
  })
  writeFileSync(join(root, 'text.txt'), 'The guests paid, and went. '.repeat(30))
  const imported = sotto(
    'import',
    'model',
    '--out',
    'bundle',
    '--calibrate',
    'text.txt',
    '--name',
    'small',
    '--json',
  )
  expect(imported.stderr).toBe('')
  expect(JSON.parse(imported.stdout)).toMatchObject({ bundle: 'bundle', calibrated: true, chat: false })
  const inspected = JSON.parse(sotto('inspect', 'bundle', '--json').stdout)
  expect(inspected).toMatchObject({ kind: 'bundle', name: 'small', blockers: [] })
  expect(JSON.parse(readFileSync(join(root, 'bundle/manifest.json'), 'utf8')).text).toEqual({ stop: [259] })
  const again = sotto('calibrate', 'bundle', '--text', 'text.txt', '--report', 'report.html')
  expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('attention logits') })
  const page = readFileSync(join(root, 'report.html'), 'utf8')
  expect(page).toContain('Calibration of small')
  // A row for every range and for every head.
  expect(page.split('<tr>').length - 1).toBe(2 + inspected.ranges.length + 2 * 4)
  const plain = sotto('inspect', 'bundle')
  expect(plain.stdout).toContain('It can be served privately.')
})

test('what is wrong is said in one line, and nothing is written', () => {
  writeFolder(join(root, 'model'), {
    config: smallConfigs.llama,
    files: { 'config.json': { model_type: 'mamba' } },
  })
  const refused = sotto('import', 'model', '--out', 'bundle')
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(/model\/config\.json: model_type "mamba" is not supported/)
  expect(sotto('import', 'model')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("'--out <bundle>' not specified"),
  })
  expect(sotto('inspect', 'nowhere')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('config.json'),
  })
  expect(readdirSync(root)).toEqual(['model'])
})

test('a large model needs little more memory than its largest tensor', () => {
  const small: ModelConfig = { ...smallConfigs.llama, dim: 64, ff: 64, heads: 4 }
  const large: ModelConfig = { ...small, dim: 512, ff: 1536, layers: 12 }
  const peak = (name: string, config: ModelConfig): number => {
    writeFolder(join(root, name), { config, tensors: even(config) })
    const { stdout, stderr } = sotto('import', name, '--out', `${name}-bundle`, '--json')
    expect(stderr).toBe('')
    return JSON.parse(stdout).peakMemoryBytes
  }
  const more = peak('large', large) - peak('small', small)
  // 150 MB of weights, 3 MB the largest; the rest is garbage not yet collected.
  expect(more).toBeLessThan(75e6)
})

test('an interruption leaves nothing half-written', async () => {
  const config: ModelConfig = { ...smallConfigs.llama, dim: 256, ff: 768, layers: 30 }
  writeFolder(join(root, 'model'), { config, tensors: even(config) })
  const child = spawn(process.execPath, [program(), 'model', 'import', 'model', '--out', 'bundle'], {
    cwd: root,
    stdio: 'ignore',
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  // As soon as something is being written.
  while (readdirSync(root).length === 1 && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill('SIGINT')
  const code = await ended
  // Where the signal came too late, the bundle is there and whole.
  if (code === 130) expect(readdirSync(root)).toEqual(['model'])
  else {
    expect(readdirSync(root)).toEqual(['bundle', 'model'])
    expect(existsSync(join(root, 'bundle', 'manifest.json'))).toBe(true)
  }
})
