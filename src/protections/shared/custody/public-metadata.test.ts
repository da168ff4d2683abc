import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lowbitEncoder, tinyRmsBert } from '../../../../test/support/protocol/lowbit.ts'
import { kernels, type SplitModel, splitTiny } from '../../../../test/support/split-bundle.ts'
import { splitBundle } from '../../../../tools/split/split.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { loadBundle, writeBundle } from '../../../model/files/bundle-node.ts'
import { manifestSchema, parseManifest } from '../../../model/files/manifest.ts'
import { randomModel } from '../../../model/random.ts'
import { ModelPlans, modelPlans, planMetadata } from '../session/model-plan.ts'
import { PUBLIC_FIELDS, PUBLIC_METADATA, pathsOf, unlisted } from './public-metadata.ts'

interface SchemaParts {
  type: string
  entries?: Record<string, SchemaParts>
  item?: SchemaParts
  options?: SchemaParts[]
  wrapped?: SchemaParts
}

/** Every path that a schema lets through. `unknown` values are the profile's, which bundles are checked for. */
function schemaPaths(schema: SchemaParts, path = ''): string[] {
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`)
  if (schema.wrapped) return schemaPaths(schema.wrapped, path)
  if (schema.entries) return Object.entries(schema.entries).flatMap(([key, s]) => schemaPaths(s, below(key)))
  if (schema.item) return schemaPaths(schema.item, `${path}[]`)
  const objects = schema.options?.filter((option) => typeof option === 'object') ?? []
  if (objects.length > 0) return [...new Set(objects.flatMap((option) => schemaPaths(option, path)))]
  if (schema.type !== 'record') return [path]
  const { value } = schema as unknown as { value: SchemaParts }
  return value.type === 'unknown' ? [] : schemaPaths(value, below('*'))
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('what is public of a split model', () => {
  it('is listed, field by field: a new field of manifests fails here until it is', () => {
    const paths = schemaPaths(manifestSchema as unknown as SchemaParts & v.GenericSchema)
    expect(paths).toContain('config.head.labels[]')
    expect(paths.filter((path) => !PUBLIC_METADATA.includes(path))).toEqual([])
    const inProfile = PUBLIC_METADATA.filter((path) => path.startsWith('profile.'))
    expect(PUBLIC_METADATA.filter((path) => !paths.includes(path) && !inProfile.includes(path))).toEqual([])
  })

  it('is in the threat model, field by field', () => {
    const rows = [
      ...read('../../../../docs/threat-model.md').matchAll(/^\| (top level|`[\w.[\]*]+`) \| (`.*`) \|$/gm),
    ]
    const listed = rows.map(([, at, fields]) => [
      at === 'top level' ? '' : at.slice(1, -1),
      [...fields.matchAll(/`([^`]+)`/g)].map(([, field]) => field),
    ])
    expect(Object.fromEntries(listed)).toEqual(PUBLIC_FIELDS)
  })

  it('is all that a plan is made from', () => {
    const folder = fileURLToPath(new URL('../../../../models/sotto-demo', import.meta.url))
    const manifest = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    const plans = modelPlans({ ...manifest, custody: { kind: 'split', id: '0'.repeat(64) } })
    const { version, precision, roles, custody, config, ranges, ...more } = planMetadata(plans) as Record<
      string,
      unknown
    >
    expect(more).toEqual({})
    // Of the engine, not of the model: its version, its fraction bits, which matrices are public.
    expect([typeof version, typeof precision, typeof roles, custody]).toEqual([
      'number',
      'object',
      'object',
      'split',
    ])
    expect(unlisted({ config, profile: { fixed: { ranges } } })).toEqual([])
  })

  it('is all that a plan of few bits is made from', () => {
    const model = lowbitEncoder(tinyRmsBert, { isSplit: true, variant: 'tables' }).model
    const { version, custody, profile, config, quantization, ...more } = planMetadata(
      new ModelPlans(model),
    ) as Record<string, unknown>
    expect(more).toEqual({})
    expect([typeof version, custody, profile]).toEqual(['number', 'split', 'lowbit'])
    expect(unlisted({ config, profile: { lowbit: quantization } })).toEqual([])
  })

  it('finds what is not listed', () => {
    expect(unlisted({ name: 'x', config: { arch: 'llama', secret: 1 }, norms: [1, 2] })).toEqual([
      'config.secret',
      'norms[]',
    ])
    expect(pathsOf({ files: { 'a.json': { bytes: 1 } }, stop: [] })).toEqual(['files.*.bytes'])
  })
})

describe('two models that differ in their private weights alone', () => {
  let folder: string
  let first: SplitModel
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-metadata-'))
    first = await splitTiny(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('make the same files but for random bytes', async () => {
    const { manifest, tokenizer, tensors } = first.whole
    const others = new Map(tensors)
    for (const [name, tensor] of randomModel(manifest.config, 1234))
      if (first.whole.privateNames.has(name)) others.set(name, tensor)
    const { files, format, tensors: listed, ...about } = manifest
    const dir = join(folder, 'second', 'tiny')
    await writeBundle(dir, { ...about, tokenizer, tensors: others })
    const name = 'model.layers.0.mlp.up_proj.weight'
    expect((await loadBundle(dir)).tensors.get(name)).not.toEqual(tensors.get(name))

    const keys = { server: first.server.publicKey, dealer: first.dealer.publicKey }
    const second = await splitBundle({ bundle: dir, out: join(folder, 'out'), keys, kernels })
    for (const holder of ['server', 'dealer'] as const) {
      const [a, b] = [first.report[holder], second[holder]]
      expect(readdirSync(b).sort()).toEqual(readdirSync(a).sort())
      for (const file of readdirSync(a)) {
        const [one, other] = [a, b].map((d) => readFileSync(join(d, file)))
        expect(statSync(join(b, file)).size).toBe(one.length)
        if (file === 'manifest.json') {
          const [{ custody: c, ...m }, { custody: d, ...n }] = [one, other].map((t) =>
            JSON.parse(t.toString()),
          )
          expect(n).toEqual(m)
          expect(d.id).not.toBe(c.id)
        } else if (!['beta.bin', 'seed.json'].includes(file)) expect(other.equals(one)).toBe(true)
      }
    }
    expect(second.planHash).toBe(first.report.planHash)
  })

  it('have in no folder a private tensor, nor its hash', () => {
    const { manifest, privateNames } = first.whole
    for (const dir of [first.report.server, first.report.dealer]) {
      expect(readdirSync(dir)).not.toContain('private.safetensors')
      const text = readFileSync(join(dir, 'manifest.json'), 'utf8')
      for (const { name, sha256 } of manifest.tensors)
        if (sha256 && privateNames.has(name)) expect(text).not.toContain(sha256)
    }
    expect(readdirSync(first.report.dealer).sort()).toEqual(['beta.bin', 'manifest.json', 'seed.json'])
  })

  it('seeds are fresh each time', async () => {
    const keys = { server: newIdentity().publicKey, dealer: newIdentity().publicKey }
    const bundle = join(folder, 'whole', 'tiny')
    const again = await splitBundle({ bundle, out: join(folder, 'fresh'), keys, kernels })
    const [a, b] = [first.report.server, again.server].map((dir) => readFileSync(join(dir, 'beta.bin')))
    let same = 0
    for (let i = 0; i < a.length; i++) if (a[i] === b[i]) same++
    // One byte in 256 by chance.
    expect(same / a.length).toBeLessThan(0.01)
  })
})
