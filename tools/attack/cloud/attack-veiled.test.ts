/** The whole measurement on a tiny model: what must come back does, whatever the group. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeTinyBundle } from '../../../test/support/session/tiny-bundle.ts'
import { attackVeiled } from './attack-veiled.ts'
import { type Finding, knowledge } from './finding.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-cloud-'))
const file = (name: string): string => join(dir, `${name}.jsonl`)
beforeAll(async () => {
  await writeTinyBundle(dir)
  for (const [name, words] of [
    ['users', ['tea', 'cup', 'hot', 'now']],
    ['domain', ['cup', 'tea', 'now', 'hot']],
    ['other', ['zinc', 'quartz', 'flux']],
  ] as const) {
    const lines = Array.from({ length: 30 }, (_, i) =>
      JSON.stringify({ text: `${words[i % words.length]} ${words[(i * 7) % words.length]} ${i}` }),
    )
    writeFileSync(file(name), lines.join('\n'))
  }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each(['bits', 'full'] as const)('group %s', async (group) => {
  const { findings, readable } = await attackVeiled({
    model: join(dir, 'tiny'),
    group,
    traffic: file('users'),
    domain: file('domain'),
    other: [file('other')],
    dialogues: 10,
    samples: 64,
    tuning: 3,
  })
  const found = (attack: string): Finding => findings.find((one) => one.attack === attack)!
  // Behind rotations the cloud's half precision has rounded lengths.
  expect(found('lengths of rows').recovered.tokens).toBeGreaterThan(group === 'bits' ? 0.95 : 0.3)
  expect(found('attention fingerprint').recovered.tokens).toBeGreaterThan(0.8)
  expect(found('first-layer norms').recovered.tokens).toBeGreaterThan(0.8)
  expect(found('distance correlation').recovered.correlation).toBeCloseTo(1, 3)
  expect(found('known base').recovered.change).toBeGreaterThan(0.9)
  expect(found('known plaintext, harvested rows').recovered.tokens).toBeGreaterThan(0)
  expect(found('model extraction').recovered.originalPerplexity).toBeGreaterThan(1)
  expect(Object.keys(found('fine-tuning').recovered)).toEqual(
    expect.arrayContaining(['perplexity', 'perplexityFromNothing', 'originalPerplexity', 'agreement']),
  )
  expect(findings.filter(({ attack }) => attack.startsWith('graph matching')).length).toBe(4)
  // The least that is known comes first, and every figure says what was known.
  const order = findings.map(({ knows }) => knowledge.indexOf(knows))
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  for (const { knew, recovered } of findings) {
    expect(knew).not.toBe('')
    for (const value of Object.values(recovered)) expect(Number.isFinite(value)).toBe(true)
  }
  expect(readable?.length).toBe(270)
})

test('knows no more than it is let', async () => {
  const { findings, readable } = await attackVeiled({
    ...{ model: join(dir, 'tiny'), group: 'bits', knows: 'nothing' },
    ...{ traffic: file('users'), other: [file('other')], dialogues: 5, samples: 0, tuning: 0 },
  })
  expect(findings.map(({ knows }) => knows)).toEqual(['nothing'])
  expect(readable).toBeUndefined()
})
