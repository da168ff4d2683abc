import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import { type CatalogEntry, readCatalog } from '../../../model/files/catalog.ts'
import { type ModelPlans, modelPlans } from '../session/model-plan.ts'
import type { HeldWeights } from '../weights/held.ts'
import { ENCODED_FILE, servedWeights } from './served-weights.ts'

const kernels = createWasmKernels()
let folder: string
let entry: CatalogEntry
let plans: ModelPlans
let file: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  await writeTinyBundle(folder, 'tiny', { layers: 2, arch: 'qwen2' })
  const [tiny] = await readCatalog(folder)
  entry = tiny
  plans = modelPlans(entry.manifest)
  file = join(entry.dir, ENCODED_FILE)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** All that was loaded, and what was said of it. */
async function load(keptFrom = 0) {
  const notes: string[] = []
  let encoded = 0
  const held = await servedWeights(kernels, entry, plans, {
    keptFrom,
    onNote: (note) => notes.push(note),
    onProgress: (done) => {
      encoded = done
    },
  })
  return { values: valuesOf(held), notes, encoded }
}

const valuesOf = ({ weights, biases }: HeldWeights) => [
  ...[...weights].map(([name, matrix]) => [name, kernels.read(matrix, 0, matrix.k)]),
  ...biases,
]

const total = () => plans.anyPlan.weights.reduce((sum, { k, n }) => sum + k * n, 0)

test('what was encoded once is read the next time, and is the same', async () => {
  const plain = await load(Number.POSITIVE_INFINITY)
  expect(readdirSync(entry.dir)).not.toContain(ENCODED_FILE)
  const first = await load()
  expect(first).toEqual({ values: plain.values, notes: [], encoded: total() })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await load()).toEqual({ values: plain.values, notes: [], encoded: 0 })
  expect(readdirSync(entry.dir).filter((name) => name.includes('encoded'))).toEqual([ENCODED_FILE])
})

test('a file that is damaged anywhere, cut short, or of another model is made anew', async () => {
  const { values } = await load()
  const whole = readFileSync(file)
  const flipped = (at: number) => Uint8Array.from(whole, (v, i) => (i === at ? v ^ 1 : v))
  const inKey = whole.indexOf('"key":"') + 8
  const damages = [whole.length - 1, whole.length >> 1, 3, inKey].map(flipped)
  for (const damaged of [...damages, whole.subarray(0, whole.length - 100), new Uint8Array(0)]) {
    writeFileSync(file, damaged)
    expect(await load()).toMatchObject({ values, encoded: total() })
    expect(readFileSync(file).equals(whole)).toBe(true)
  }
})

test('an encoding that comes out otherwise by now is not taken from the file', async () => {
  await load()
  const { model } = plans
  const encode = model.encode.bind(model)
  model.encode = function* (...args) {
    for (const matrix of encode(...args)) yield { ...matrix, data: matrix.data.map((v) => -v) }
  }
  expect(await load()).toMatchObject({ encoded: total() })
})

test('a folder that takes no file is said, and served all the same', async () => {
  const { values } = await load(Number.POSITIVE_INFINITY)
  mkdirSync(file)
  const again = await load()
  expect(again.values).toEqual(values)
  expect(again.notes.at(-1)).toContain('cannot be written')
  expect(readdirSync(entry.dir).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('private tensors that are not what the manifest says are not served', async () => {
  const path = join(entry.dir, 'private.safetensors')
  const bytes = readFileSync(path)
  bytes[bytes.length - 3] ^= 1
  writeFileSync(path, bytes)
  await expect(load()).rejects.toMatchObject({ code: 'hash-mismatch' })
  expect(readdirSync(entry.dir).filter((name) => name.includes('encoded'))).toEqual([])
})
