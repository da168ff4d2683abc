import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import { BundleTensors } from '../../../model/files/bundle-tensors.ts'
import { type CatalogEntry, readCatalog } from '../../../model/files/catalog.ts'
import { TensorFile } from '../../../model/files/tensor-file.ts'
import { type ModelPlans, modelPlans } from '../session/model-plan.ts'
import type { HeldWeights } from '../weights/held.ts'
import { EncodedWriter } from './encoded-file.ts'
import { ENCODED_FILE, servedWeights } from './served-weights.ts'

const kernels = createWasmKernels()
const server = newIdentity()
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
async function load(keptFrom = 0, identity = server) {
  const notes: string[] = []
  let encoded = 0
  const held = await servedWeights(kernels, entry, plans, {
    ...{ keptFrom, identity },
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

function metadata() {
  const opened = new TensorFile(file)
  opened.close()
  return opened.metadata
}

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

test('what this server has not signed is not served, however right its hashes are', async () => {
  const { values } = await load()
  const { key } = metadata()
  const forger = newIdentity()
  const writer = new EncodedWriter(file, key, 100)
  const tensors = new BundleTensors(entry.dir, entry.manifest)
  // The first one is encoded anew for comparison.
  for (const [i, matrix] of [...plans.model.encode(tensors, ['public', 'private'])].entries())
    writer.add(i === 0 ? matrix : { ...matrix, data: matrix.data.map((v) => -v) })
  tensors.close()
  await writer.finish(forger)
  expect(metadata().key).toBe(key)
  const again = await load()
  expect(again).toMatchObject({ values, encoded: total() })
  expect(again.notes).toEqual([expect.stringContaining('nothing that this server has written')])
  // Two servers of one folder do not take each other's.
  expect(await load(0, forger)).toMatchObject({ values, notes: [], encoded: total() })
})

test('matrices under one another’s names are not taken', async () => {
  const { values } = await load()
  const [text, { weights }] = [readFileSync(file, 'latin1'), plans.anyPlan]
  const first = weights[1]
  const like = weights.find((w, i) => i > 1 && w.k === first.k && w.n === first.n)
  const swapped = [first.name, like?.name].map((name) => `"${name}":`)
  const at = swapped.map((name) => text.indexOf(name))
  expect(at).not.toContain(-1)
  expect(swapped[0].length).toBe(swapped[1].length)
  const bytes = readFileSync(file)
  for (const [i, name] of swapped.entries()) bytes.write(name, at[1 - i])
  writeFileSync(file, bytes)
  expect(await load()).toMatchObject({ values, encoded: total() })
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

test('what starts that were killed have left goes at the next one, whether or not it encodes', async () => {
  for (const encoded of [total(), 0]) {
    writeFileSync(`${file}.0123456789ab.part`, 'private weights')
    expect(await load()).toMatchObject({ encoded, notes: [] })
    expect(readdirSync(entry.dir).filter((name) => name.includes('encoded'))).toEqual([ENCODED_FILE])
  }
})

test('a folder that takes no file is said, and served all the same', async () => {
  const { values } = await load(Number.POSITIVE_INFINITY)
  mkdirSync(file)
  const again = await load()
  expect(again.values).toEqual(values)
  expect(again.notes.at(-1)).toContain('cannot be written')
  expect(readdirSync(entry.dir).filter((name) => name.endsWith('.part'))).toEqual([])
})

test.each([
  ['at the first start', 0],
  ['when they are encoded already', 1],
])('private tensors that are not what the manifest says are not served: %s', async (_, starts) => {
  for (let i = 0; i < starts; i++) await load()
  const path = join(entry.dir, 'private.safetensors')
  const bytes = readFileSync(path)
  bytes[bytes.length - 3] ^= 1
  writeFileSync(path, bytes)
  await expect(load()).rejects.toMatchObject({ code: 'hash-mismatch' })
  expect(readdirSync(entry.dir).filter((name) => name.includes('encoded'))).toHaveLength(starts)
})
