import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { smallConfig } from '../../../test/support/classify-corpus.ts'
import { DataError } from '../../../tools/finetune/data.ts'
import { readLedger } from '../../../tools/privacy/ledger.ts'
import { bertSpecials, wordPieceJson } from '../../../tools/train/wordpiece.ts'
import { loadBundle, writeBundle } from '../../model/files/bundle-node.ts'
import { randomModel } from '../../model/random.ts'
import { UsageError } from '../errors.ts'
import { finetuneCommand } from './finetune.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-command-'))
const [base, data, dev] = ['base', 'train.jsonl', 'dev.jsonl'].map((name) => join(dir, name))

beforeAll(async () => {
  const config = { ...smallConfig, head: { kind: 'mlm' as const } }
  await writeBundle(base, {
    name: 'base',
    description: '',
    license: 'none',
    source: 'random weights',
    config,
    profile: {},
    tokenizer: wordPieceJson([...bertSpecials, ...'abcdefghijklmnopqrstuvwxyz']),
    tensors: randomModel(config, 3),
  })
  const lines = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify({ text: `${'abc'[i % 3]} b c ${i % 2 ? 'y' : 'n'} d`, label: i % 2 ? 'yes' : 'no' }),
  )
  writeFileSync(data, lines.join('\n'))
  writeFileSync(dev, lines.slice(0, 10).join('\n'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function run(...args: string[]): Promise<Record<string, unknown>[]> {
  const lines: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
  try {
    await finetuneCommand.parseAsync([...args, '--json', '--threads', '1'], { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const common = ['--task', 'labels', '--data', data, '--dev', dev, '--base', base]

it('trains a bundle with the labels of the data, and says what it did', async () => {
  const out = join(dir, 'plain')
  const args = [...common, '--out', out, '--epochs', '2', '--batch', '8']
  const lines = await run(...args, '--name', 'answers')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatchObject({ epoch: 1, step: 5 })
  expect(lines[2]).toMatchObject({ bundle: join(out, 'bundle'), examples: 40, steps: 10 })
  const { manifest } = await loadBundle(join(out, 'bundle'))
  expect(manifest.name).toBe('answers')
  expect(manifest.config.head).toEqual({ kind: 'classify', labels: ['no', 'yes'] })
  expect(manifest.source).toContain('random weights')
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('<svg')
  await expect(run(...args)).rejects.toThrow('--resume')
  await expect(run(...args, '--lr', '0.1', '--resume')).rejects.toThrow('other data or options')
  // Going on with a finished run trains no more; it may be given another name.
  const again = await run(...args, '--name', 'replies', '--resume')
  expect(again).toHaveLength(1)
  expect(again[0]).toMatchObject({ steps: 10, accuracy: lines[2].accuracy })
  expect((await loadBundle(join(out, 'bundle'))).manifest.name).toBe('replies')
})

it('trains privately within the epsilon asked for, on the ledger', async () => {
  const out = join(dir, 'private')
  const args = ['--epsilon', '6', '--accountant', 'rdp', '--epochs', '2', '--batch', '10']
  const lines = await run(...common, '--out', out, ...args)
  expect(lines[0]).toMatchObject({ plan: { q: 0.25, steps: 8, delta: 1 / 400, accountant: 'rdp' } })
  const { privacy } = lines.at(-1) as { privacy: { epsilon: number } }
  expect(privacy.epsilon).toBeLessThanOrEqual(6)
  expect(privacy.epsilon).toBeGreaterThan(5.9)
  expect(readLedger(join(out, 'privacy-ledger.jsonl')).steps).toBe(8)
  const { manifest, privateNames } = await loadBundle(join(out, 'bundle'))
  expect(manifest.config.lora).toMatchObject({ rank: 8, alpha: 16 })
  expect([...privateNames].every((name) => /lora_B|pooler|classifier/.test(name))).toBe(true)
})

it('makes pairs of texts with one label, and does not protect them', async () => {
  const args = ['--task', 'pairs', '--data', data, '--base', base]
  const lines = await run(...args, '--out', join(dir, 'pairs'), '--epochs', '1')
  expect(lines.at(-1)).toMatchObject({ examples: 36 * 4 })
  const { manifest } = await loadBundle(join(dir, 'pairs', 'bundle'))
  expect(manifest.config.head).toEqual({ kind: 'classify', labels: ['different', 'same'], pairs: true })
  const out = join(dir, 'refused')
  await expect(run(...args, '--out', out, '--epsilon', '8')).rejects.toThrow(DataError)
  expect(existsSync(out)).toBe(false)
})

it.each([
  [['--task', 'glue:cola'], 'sst-2'],
  [['--epsilon', '8', '--optimizer', 'adamw'], 'not private'],
  [['--optimizer', 'dp-sgd'], 'need --epsilon'],
  [['--delta', '1e-5'], 'need --epsilon'],
  [['--epochs', '0'], '--epochs'],
  [['--method', 'half'], '--method'],
])('%s is refused with advice', async (extra, message) => {
  const wrong = run(...common, '--out', join(dir, 'no'), ...extra)
  await expect(wrong).rejects.toThrow(UsageError)
  await expect(run(...common, '--out', join(dir, 'no'), ...extra)).rejects.toThrow(message)
})
