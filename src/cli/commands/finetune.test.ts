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
const state = process.env.XDG_STATE_HOME
beforeAll(() => {
  process.env.XDG_STATE_HOME = join(dir, 'state')
})
afterAll(() => {
  if (state === undefined) delete process.env.XDG_STATE_HOME
  else process.env.XDG_STATE_HOME = state
  rmSync(dir, { recursive: true, force: true })
})

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
  expect(lines[0]).toMatchObject({ plan: { examples: 40, hidesNumber: false } })
  const { privacy } = lines.at(-1) as { privacy: { epsilon: number; ledger: string } }
  expect(privacy.epsilon).toBeLessThanOrEqual(6)
  expect(privacy.epsilon).toBeGreaterThan(5.9)
  expect(privacy.ledger.startsWith(join(dir, 'state', 'sotto', 'privacy'))).toBe(true)
  expect(readLedger(privacy.ledger).steps).toBe(8)
  expect(readFileSync(join(out, 'report.json'), 'utf8')).toContain('does not hide it')
  const { manifest, privateNames } = await loadBundle(join(out, 'bundle'))
  expect(manifest.config.lora).toMatchObject({ rank: 8, alpha: 16 })
  expect([...privateNames].every((name) => /lora_B|pooler|classifier/.test(name))).toBe(true)
})

it('counts on for the same data and base wherever the results go, and however they are trained', async () => {
  const own = join(dir, 'once.jsonl')
  writeFileSync(own, `${readFileSync(data, 'utf8')}\n{"text": "c c c", "label": "yes"}`)
  const args = [...['--task', 'labels', '--data', own, '--dev', dev, '--base', base, '--epsilon', '6']]
  const short = [...args, '--accountant', 'rdp', '--epochs', '1', '--batch', '20']
  const [{ plan }] = (await run(...short, '--out', join(dir, 'once'))) as [{ plan: { ledger: string } }]
  const { steps } = readLedger(plan.ledger)
  for (const more of [[], ['--rank', '2'], ['--method', 'lora'], ['--epochs', '2']])
    await expect(run(...short, ...more, '--out', join(dir, 'twice'))).rejects.toMatchObject({ code: 'spent' })
  expect(readLedger(plan.ledger).steps).toBe(steps)
  // Another ledger has to be named, and is told of.
  const ledger = join(dir, 'other.jsonl')
  const [other] = await run(...short, '--ledger', ledger, '--out', join(dir, 'thrice'))
  expect(other).toMatchObject({ plan: { ledger } })
})

it('plans by a public number of examples, whatever the data’s own is', async () => {
  const plans = []
  for (const [i, lines] of [39, 37].entries()) {
    const own = join(dir, `own-${i}.jsonl`)
    writeFileSync(own, readFileSync(data, 'utf8').split('\n').slice(0, lines).join('\n'))
    const args = ['--task', 'labels', '--data', own, '--dev', dev, '--base', base, '--epsilon', '6']
    const more = ['--accountant', 'rdp', '--epochs', '1', '--batch', '10', '--public-examples', '50']
    const out = await run(...args, ...more, '--out', join(dir, `public-${i}`))
    const { ledger: _, ...plan } = out[0].plan as { ledger: string }
    plans.push({ plan, epochs: out.length, last: out.at(-1)?.examples })
    const { facts } = JSON.parse(readFileSync(join(dir, `public-${i}`, 'report.json'), 'utf8'))
    expect(facts).toMatchObject({ Examples: '50', 'Number of examples': expect.stringContaining('hidden') })
  }
  expect(plans[0].plan).toMatchObject({ q: 0.2, delta: 1 / 500, examples: 50, hidesNumber: true })
  expect(plans[1]).toEqual(plans[0])
})

it.each([
  ['0.025', []],
  ['0.4', []],
  ['0.02', ['--public-examples', '50']],
])('refuses a delta of %s, which lets a run publish an example', async (delta, more) => {
  const out = join(dir, 'loose')
  const args = ['--epsilon', '8', '--delta', delta, '--epochs', '1', '--out', out, ...more]
  await expect(run(...common, ...args)).rejects.toThrow(/one over their number/)
  expect(existsSync(out)).toBe(false)
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
