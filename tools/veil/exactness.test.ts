/** Original against veiled, in float64, by forward passes that know nothing of veils. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { parseOwnerKey } from '../../src/protections/veiled/owner-key.ts'
import { randomCheckpoint, readCheckpoint, writeCheckpoint } from '../../test/support/veil/checkpoint.ts'
import { veilCases } from '../../test/support/veil/models.ts'
import { worst } from '../../test/support/veil/worst.ts'
import { veilModel } from './veil.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-veil-'))
afterAll(() => rmSync(dir, { recursive: true }))

describe.each(['bits', 'full'] as const)('group %s', (group) => {
  test.each(veilCases)('$name: the answers are the same', async (one) => {
    for (const seed of [1, 2]) {
      const [from, out, keys] = ['in', 'out', 'keys'].map((part) =>
        join(dir, `${group}-${one.name.replace(/\W+/g, '-')}-${seed}-${part}`),
      )
      const original = randomCheckpoint(one.config, seed, one.without)
      writeCheckpoint(from, one.config, original, { files: seed })
      const report = await veilModel({ from, out, keys, group, tenant: 'test' })
      const ends = new OwnerEnds(parseOwnerKey(readFileSync(report.ownerKey, 'utf8'), report.ownerKey))
      const veiled = readCheckpoint(out)
      const want = one.answers(original, report.isUntied, undefined)
      const got = one.answers(veiled, false, ends)
      expect(got.length).toBe(want.length)
      expect(worst(want, got)).toBeLessThan(1e-11)
      // Nothing is where it was: whoever reads veiled answers without the key reads others.
      for (const [name, { data, shape }] of original) {
        if (/[qk]_norm/.test(name)) continue
        expect(veiled.get(name)!.shape).toEqual(shape)
        if (new Set(data).size > 1) expect(veiled.get(name)!.data, name).not.toEqual(data)
      }
    }
  })
})
