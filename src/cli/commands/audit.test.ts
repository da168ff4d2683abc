import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { writeTinyBundle } from '../../../test/support/session/tiny-bundle.ts'
import { UsageError } from '../errors.ts'
import { auditCommand } from './audit.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-audit-'))
const data = join(dir, 'dialogues.jsonl')
const common = [
  '--base',
  join(dir, 'tiny'),
  '--data',
  data,
  '--threads',
  '1',
  '--epochs',
  '1',
  '--batch',
  '4',
]

beforeAll(async () => {
  await writeTinyBundle(dir)
  const lines = Array.from({ length: 60 }, (_, i) =>
    JSON.stringify({
      turns: [
        { role: 'user', text: `Tea ${i}?` },
        { role: 'assistant', text: `Cup ${(i * 7) % 10}.` },
      ],
    }),
  )
  writeFileSync(data, lines.join('\n'))
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<string> {
  let printed = ''
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  try {
    await auditCommand.parseAsync([...args, ...common], { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return printed
}

it('attacks models trained with and without privacy', async () => {
  const found = JSON.parse(await run('membership', '--pool', '12', '--models', '6', '--json'))
  expect(found.kind).toBe('membership')
  expect(found.basePerplexity).toBeGreaterThan(1)
  expect(found.plain.sigma).toBeUndefined()
  expect(found.private.sigma).toBeGreaterThan(0.3)
  for (const figures of [found.plain, found.private])
    for (const attack of [figures.lossThreshold, figures.likelihoodRatio]) {
      expect(attack.members + attack.nonMembers).toBe(72)
      expect(attack.areaUnderCurve).toBeGreaterThanOrEqual(0)
      expect(attack.areaUnderCurve).toBeLessThanOrEqual(1)
    }
})

it('ranks codes, as a table for people', async () => {
  const table = await run(
    ...['canaries', '--dialogues', '8', '--repetitions', '1,6', '--per-group', '2', '--references', '7'],
  )
  expect(table).toMatch(/exposure, once \(at most 3\.0 bits\) +[\d.]+ +[\d.]+\n/)
  expect(table).toMatch(/ranked first, 6 times +\d +\d\n/)
})

it('says what is wrong', async () => {
  await expect(run('membership', '--pool', '1000')).rejects.toThrow('the audit needs 1000')
  await expect(run('sideways')).rejects.toThrow(UsageError)
  await expect(auditCommand.parseAsync(['canaries', '--base', dir], { from: 'user' })).rejects.toThrow(
    '--data',
  )
})
