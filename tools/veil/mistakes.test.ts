/** What must fail, fails: mistakes that are printed, or that somebody might make. The same code veils, with other rules. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { HfReader } from '../../src/model/architectures/hf-reader.ts'
import type { End } from '../../src/protections/veiled/ends.ts'
import { identity } from '../../src/protections/veiled/linear-map.ts'
import { OwnerEnds } from '../../src/protections/veiled/owner-ends.ts'
import { randomCheckpoint, readCheckpoint, writeCheckpoint } from '../../test/support/veil/checkpoint.ts'
import { type VeilCase, veilCases } from '../../test/support/veil/models.ts'
import { worst } from '../../test/support/veil/worst.ts'
import { CheckpointFolder } from '../import/checkpoint-folder.ts'
import { newDeveloperKey, seedOf } from './developer-keys.ts'
import { familyOf } from './families/registry.ts'
import { headSpace } from './heads.ts'
import { VeilKeys } from './keys.ts'
import { planTensors } from './plan.ts'
import { endSpace, gatedUnits, type Space } from './space.ts'
import type { Axis, TensorSpec } from './tensor-spec.ts'
import { storedIn, writeTensors } from './write-tensors.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-mistakes-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** How far the answers are off where a space is another, or a tensor is described otherwise. */
async function error(
  one: VeilCase,
  other: (space: Space) => Space,
  otherSpec: (spec: TensorSpec) => TensorSpec = (spec) => spec,
): Promise<number> {
  const [from, out] = ['in', 'out'].map((part) => mkdtempSync(join(dir, part)))
  const original = randomCheckpoint(one.config, 7, one.without)
  writeCheckpoint(from, one.config, original)
  mkdirSync(out, { recursive: true })
  const family = familyOf(one.config)
  const key = newDeveloperKey({ tenant: 'test', group: 'full', family: family.name })
  const keys = new VeilKeys(seedOf(key), 'full')
  const folder = new CheckpointFolder(from)
  try {
    const described = family.describe(new HfReader(one.config, from), (name) => folder.tensors.has(name))
    const replaced = (axis: Axis): Axis => ('plain' in axis ? axis : { ...axis, space: other(axis.space) })
    const tensors = described.tensors.map((spec) =>
      otherSpec({
        ...spec,
        axes: spec.axes.map((axis) => [axis].flat().map((part: Axis) => replaced(part))),
      }),
    )
    const stored = storedIn(folder)
    const planned = planTensors({ ...described, tensors }, stored, keys, family.tiesByDefault)
    await writeTensors(out, folder, planned, keys, stored, { rounded: 0, lost: 0 })
    const isUntied = planned.some(({ spec, source }) => spec.tied === source)
    const ends = new OwnerEnds(keys.ownerKey(key, described, false))
    return worst(one.answers(original, isUntied), one.answers(readCheckpoint(out), false, ends))
  } finally {
    folder.close()
  }
}

const caseOf = (name: string): VeilCase => veilCases.find((one) => one.name.startsWith(name))!
const asIs = (space: Space): Space => space
const stream =
  (size: number, norm: (End & { kind: 'stream' })['norm']) =>
  (space: Space): Space =>
    space.id === 'rows' ? endSpace('rows', { kind: 'stream', size, norm }) : space

test('with the right rules, nothing fails', async () => {
  expect(await error(caseOf('qwen2'), asIs)).toBeLessThan(1e-11)
  expect(await error(caseOf('gpt2'), asIs)).toBeLessThan(1e-11)
})

test('SwiGLU as printed: the gate keeps the order of its units', async () => {
  const printed = (space: Space): Space => {
    if (!space.id.endsWith('mlp')) return space
    const { maps } = gatedUnits(space.id, 72)
    return { ...space, maps: (seed, group) => ({ ...maps(seed, group), gate: identity(72) }) }
  }
  expect(await error(caseOf('qwen2'), printed)).toBeGreaterThan(0.1)
})

test('queries and keys permuted alike inside a rotary head', async () => {
  const permuted = (space: Space): Space =>
    space.id.endsWith('attention')
      ? headSpace(space.id, { heads: 6, kvHeads: 3, width: 8, between: 'nothing' })
      : space
  expect(await error(caseOf('qwen2'), permuted)).toBeGreaterThan(0.1)
})

test('pairs turned in spite of norms of queries and keys', async () => {
  const turned = (space: Space): Space =>
    space.id.endsWith('attention')
      ? headSpace(space.id, { heads: 6, kvHeads: 3, width: 8, between: 'rotary' })
      : space
  expect(await error(caseOf('qwen3'), turned)).toBeGreaterThan(0.1)
})

test('a rotated stream whose gains are not folded', async () => {
  const unfolded = (space: Space): Space => (space.id === 'rows' ? { ...space, folds: () => false } : space)
  expect(await error(caseOf('qwen2'), unfolded)).toBeGreaterThan(0.1)
})

test('a stream between LayerNorms, rotated without its mean', async () => {
  expect(await error(caseOf('gpt2'), stream(48, 'rms'))).toBeGreaterThan(0.1)
})

test('a stream that norms carry on, rotated with its mean', async () => {
  expect(await error(caseOf('bert, labels'), stream(48, 'layer'))).toBeGreaterThan(0.1)
})

test('positions that stay as they were', async () => {
  const still = (spec: TensorSpec): TensorSpec =>
    spec.name === 'wpe.weight' ? { ...spec, axes: [{ plain: 40 }, { plain: 48 }] } : spec
  expect(await error(caseOf('gpt2'), asIs, still)).toBeGreaterThan(0.1)
})

test('patches reordered without their positions', async () => {
  const still = (spec: TensorSpec): TensorSpec =>
    spec.name.endsWith('position_embeddings') ? { ...spec, axes: [{ plain: 17 }, spec.axes[1]] } : spec
  expect(await error(caseOf('vit'), asIs, still)).toBeGreaterThan(0.01)
})
