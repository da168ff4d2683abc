/** A profile of its own folder and one line in the list is served, dealt for, and run by an owner. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Ends } from '../../src/model/ends.ts'
import { type Bundle, loadBundle, setProfile } from '../../src/model/files/bundle-node.ts'
import { unlisted } from '../../src/protections/shared/custody/public-metadata.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { UnknownProfile } from '../../src/protections/shared/profiles/errors.ts'
import { defaultProfile, profileOf } from '../../src/protections/shared/profiles/lookup.ts'
import { modelPlans, planHash } from '../../src/protections/shared/session/model-plan.ts'
import { dialLink } from '../../src/transport/dial.ts'
import { makeWebSocket } from '../../src/transport/node/ws.ts'
import { webSocketDial } from '../../src/transport/websocket.ts'
import { measureBundle } from '../../tools/calibrate/calibrate.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import { mismatches } from '../support/protocol/mismatches.ts'
import { openOwner, servedPlans, startEngineParties } from '../support/session/private-run.ts'
import { writeTinyBundle } from '../support/session/tiny-bundle.ts'
import { encodedMatrix } from './toy-profile.ts'

// The one line: the list with one entry more.
vi.mock(import('../../src/protections/shared/profiles/registry.ts'), async (original) => {
  const { toy } = await import('./toy-profile.ts')
  return { profiles: [...(await original()).profiles, toy] }
})

let folder: string
let bundle: Bundle
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-door-'))
  await writeTinyBundle(folder)
  const dir = join(folder, 'tiny')
  await setProfile(dir, { toy: { bits: 6 } })
  const text = join(folder, 'text.txt')
  writeFileSync(text, 'Hello, how are you?')
  await measureBundle({ bundle: dir, data: text })
  bundle = await loadBundle(dir)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ids = [1, 5, 9]

/** x W of the last row in steps of 2^-bits, exactly. */
function expected({ manifest, tensors }: Bundle, bits: number): number[] {
  const { dim } = manifest.config
  const w = encodedMatrix(tensors, dim, bits)
  const rows = new Ends(manifest.config, tensors).embed(ids, 0)
  const x = Array.from(rows.subarray(rows.length - dim), (v) => Math.round(v * 2 ** bits))
  return Array.from(
    { length: dim },
    (_, j) => x.reduce((sum, v, i) => sum + v * w[i * dim + j], 0) / 2 ** bits,
  )
}

describe('a profile that is one more entry of the list', () => {
  it('calibrates: what its workshop measures is in the manifest, under its name', () => {
    expect(bundle.manifest.profile).toEqual({ toy: { bits: 8 } })
    expect(profileOf(bundle.manifest).id).toBe('toy')
  })

  it('is computed by all parties as by the oracle, bit for bit', async () => {
    const parties = new LocalParties(modelPlans(bundle.manifest).model, bundle.tensors, { keys: localKeys() })
    const trace = await parties.pass(0, new Ends(bundle.manifest.config, bundle.tensors).embed(ids, 0))
    expect(mismatches(parties, trace)).toEqual([])
    expect(trace.schedule.hops).toBe(2)
  })

  it('is served, dealt for and run over sockets', async () => {
    const parties = await startEngineParties(folder)
    try {
      const [served] = await servedPlans(parties.server.url)
      expect(served).toMatchObject({ profile: 'toy', planHash: await planHash(modelPlans(bundle.manifest)) })
      const dial = webSocketDial(`${parties.server.url}/api/link`, makeWebSocket())
      const owner = await openOwner(parties, bundle, () => dialLink('ws', dial))
      const released = await owner.session.run(0, owner.ends.embed(ids, 0))
      await owner.close()
      const want = expected(bundle, 8)
      expect(released).toHaveLength(want.length)
      // The owner rounds down and the server up.
      for (const [j, v] of want.entries()) expect(Math.abs(released[j] * 2 ** 8 - v)).toBeLessThan(1)
      expect(Math.max(...want.map(Math.abs))).toBeGreaterThan(8)
    } finally {
      await parties.close()
    }
  })

  it('says itself what is public of it', () => {
    expect(unlisted({ profile: { toy: { bits: 8 } } })).toEqual([])
    expect(unlisted({ profile: { toy: { bits: 8, largest: 1 } } })).toEqual(['profile.toy.largest'])
  })
})

it('a profile that is not in the list is refused by its name', () => {
  const manifest = { ...bundle.manifest, profile: { other: {} } }
  expect(() => modelPlans(manifest)).toThrow(UnknownProfile)
  expect(() => modelPlans(manifest)).toThrow(/'other' is unknown.*toy/)
})

it('a model is of one profile', () => {
  const profile = { ...bundle.manifest.profile, other: {} }
  expect(() => modelPlans({ ...bundle.manifest, profile })).toThrow('several profiles (toy, other)')
})

it('a model that is not calibrated is told how, by the profile that such models have', () => {
  const manifest = { ...bundle.manifest, profile: {} }
  expect(() => modelPlans(manifest)).toThrow(/not calibrated.*sotto model calibrate/)
  expect(profileOf(manifest)).toBe(defaultProfile())
})
