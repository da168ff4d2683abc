/**
 * Checkpoint folders from strangers: whatever is in their files, an import ends with a bundle or with an error that says
 * which file is wrong, takes no more memory than the files are worth, and leaves nothing behind.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBundle } from '../../src/model/files/bundle-node.ts'
import { byteLevelJson, newFolder, smallConfigs, writeFolder } from '../../test/support/checkpoint-folder.ts'
import { ImportError } from './error.ts'
import { importModel } from './import-model.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Values that are huge, broken, or of another type than anybody expects. */
const wild: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, '', 'x', '__proto__', [], {}, [[]], [null], { length: 3 }),
  fc.constantFrom<Json>(-1, 0, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1e-300),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)
/** Replaces, or leaves out, what stands at a place of a JSON file: the place is found by following these numbers down. */
type Change = { at: number[]; value?: Json }
const change: fc.Arbitrary<Change> = fc.record(
  { at: fc.array(fc.nat(400), { minLength: 1, maxLength: 5 }), value: wild },
  { requiredKeys: ['at'] },
)

function changed(json: Json, { at: [first, ...rest], value }: Change): Json {
  if (typeof json !== 'object' || json === null) return value ?? null
  const keys = Object.keys(json)
  if (keys.length === 0) return value ?? null
  const key = keys[first % keys.length]
  const copy: { [key: string]: Json } | Json[] = Array.isArray(json) ? [...json] : { ...json }
  const own = copy as { [key: string]: Json }
  if (rest.length > 0 && typeof own[key] === 'object' && own[key] !== null)
    own[key] = changed(own[key], { at: rest, value })
  else if (value === undefined && !Array.isArray(copy)) delete own[key]
  else own[key] = value ?? null
  return copy
}

/** A safetensors file with another header, whose length may lie, and other bytes behind it. */
function withHeader(file: Buffer, changes: Change[], more: number, cut: number): Buffer {
  const length = Number(file.readBigUInt64LE())
  const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Json
  const text = Buffer.from(JSON.stringify(changes.reduce(changed, header)))
  const out = Buffer.concat([file.subarray(0, 8), text, file.subarray(8 + length)])
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(text.length + more)))
  return out.subarray(0, out.length - (cut % out.length))
}

const forms = Object.keys(smallConfigs) as (keyof typeof smallConfigs)[]
const files = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'model.safetensors.index.json',
] as const

let root: string
/** A folder of each form as it should be. */
const wholes = new Map<string, Map<string, Buffer>>()

beforeAll(() => {
  root = newFolder()
  for (const form of forms) {
    const dir = join(root, form)
    writeFolder(dir, {
      config: { ...smallConfigs[form], layers: 1 },
      shards: form === 'gpt2' ? 2 : 1,
      files: {
        'tokenizer.json': byteLevelJson(['<|endoftext|>', '<|im_start|>', '<|im_end|>']),
        'tokenizer_config.json': {
          eos_token: '<|endoftext|>',
          bos_token: { content: '<|endoftext|>' },
          chat_template: [{ name: 'default', template: '<|im_start|> <|im_end|> bos_token' }],
        },
        'generation_config.json': { eos_token_id: [258, 259] },
      },
    })
    wholes.set(form, new Map(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))])))
    rmSync(dir, { recursive: true })
  }
})
afterAll(() => rmSync(root, { recursive: true }))

/** Imports a folder of these files. Resolves with the error that it ended with, if it did. */
async function outcome(contents: ReadonlyMap<string, Buffer>): Promise<unknown> {
  const [dir, out] = [join(root, 'model'), join(root, 'bundle')]
  mkdirSync(dir)
  try {
    for (const [name, bytes] of contents) writeFileSync(join(dir, name), bytes)
    const error: unknown = await importModel({ from: dir, out }).then(
      () => undefined,
      (reason) => reason,
    )
    if (error !== undefined) expect(existsSync(out)).toBe(false)
    // What was written can be read.
    else await loadBundle(out)
    return error
  } finally {
    for (const left of readdirSync(root)) expect(['model', 'bundle']).toContain(left)
    rmSync(dir, { recursive: true })
    rmSync(out, { recursive: true, force: true })
  }
}

const check = async (form: string, change: (files: Map<string, Buffer>) => void): Promise<void> => {
  const contents = new Map(wholes.get(form))
  change(contents)
  const error = await outcome(contents)
  if (error !== undefined) expect(error).toBeInstanceOf(ImportError)
}

test('what is not changed is imported', async () => {
  for (const form of forms) expect(await outcome(wholes.get(form)!)).toBe(undefined)
})

test('JSON files of other words: a bundle, or a typed error', async () => {
  const edits = fc.array(change, { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...forms),
      fc.constantFrom(...files),
      fc.oneof({ weight: 6, arbitrary: edits }, fc.nat(100)),
      (form, name, edit) =>
        check(form, (contents) => {
          const bytes = contents.get(name)
          if (!bytes) return
          if (typeof edit === 'number') contents.set(name, bytes.subarray(0, bytes.length - edit))
          else
            contents.set(
              name,
              Buffer.from(JSON.stringify(edit.reduce(changed, JSON.parse(bytes.toString())))),
            )
        }),
    ),
    { numRuns: 400, seed: 8 },
  )
})

test('weights of other headers and lengths: a bundle, or a typed error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...forms),
      fc.array(change, { maxLength: 3 }),
      fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constantFrom(1, -1, 2 ** 31, 2 ** 40)),
      fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat()),
      (form, changes, more, cut) =>
        check(form, (contents) => {
          for (const [name, bytes] of contents)
            if (name.endsWith('.safetensors')) contents.set(name, withHeader(bytes, changes, more, cut))
        }),
    ),
    { numRuns: 200, seed: 8 },
  )
})

test('numbers that no model has are refused, not tried', async () => {
  const numbers = [
    'layer',
    'embd',
    'head',
    'hidden',
    'vocab',
    'position',
    'intermediate',
    'n_ctx',
    'type_vocab',
  ]
  for (const form of forms) {
    const config = JSON.parse(wholes.get(form)!.get('config.json')!.toString()) as Record<string, Json>
    const keys = Object.keys(config).filter((key) => numbers.some((word) => key.includes(word)))
    expect(keys.length).toBeGreaterThan(4)
    for (const key of keys)
      for (const value of [-1, 0, 0.5, 1e9, 2 ** 53, 1e300])
        await check(form, (contents) => {
          contents.set('config.json', Buffer.from(JSON.stringify({ ...config, [key]: value })))
        })
  }
})
