/** Vectors of texts: through the owner's engine, as library and proxy have them, in private and in the clear. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { program } from '../../test/support/built/path.ts'
import type { Parties } from '../../test/support/session/parties.ts'
import { startEngineParties } from '../../test/support/session/private-run.ts'
import { writeTinyClassifier } from '../../test/support/session/tiny-classifier.ts'
import { encoderTwin } from '../../test/twins/encoders.ts'
import { Sotto } from '../client/sotto.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import type { Manifest } from '../model/files/manifest.ts'
import { encodeForEncoder } from '../model/tokenizer/encode-text.ts'

const texts = ['a good film', 'the story was long and sad', 'funny']
/** Bundles by name, and what each makes of hidden states. */
const poolings: Record<string, Manifest['pooling']> = {
  first: { kind: 'cls', normalize: false, prompt: 'a bad film ' },
  mean: { kind: 'mean', normalize: true },
  unsaid: undefined,
}
let folder: string
let parties: Parties
const bundles = new Map<string, Bundle>()
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  for (const [name, pooling] of Object.entries(poolings))
    bundles.set(name, await writeTinyClassifier(folder, name, { head: undefined }, { pooling }))
  parties = await startEngineParties(folder)
})
afterAll(async () => {
  await parties.close()
  rmSync(folder, { recursive: true })
})

/** By the independent forward. */
function expected(name: string): number[][] {
  const { manifest, tensors, tokenizer } = bundles.get(name)!
  const { config, pooling = { kind: 'mean', normalize: true } } = manifest
  return texts.map((text) => {
    const words = `${pooling.prompt ?? ''}${text}`
    const input = encodeForEncoder(new Tokenizer(tokenizer, {}), config, config.context, words)
    const { hidden } = encoderTwin(config, tensors, input)
    const rows = pooling.kind === 'cls' ? hidden.slice(0, 1) : hidden
    const vector = rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length)
    const length = pooling.normalize ? Math.hypot(...vector) : 1
    return vector.map((v) => v / length)
  })
}

const largestDifference = (a: number[][], b: number[][]): number =>
  Math.max(...a.flatMap((row, i) => row.map((v, j) => Math.abs(v - b[i][j]))))

const opened = () => {
  const { dealerUrl, dealerKey } = parties.request()
  const dealer = { url: dealerUrl, key: dealerKey }
  return new Sotto({ server: parties.server.url, dealer, link: 'ws' })
}

test.each(Object.keys(poolings))('in private they are those of an independent forward: %s', async (model) => {
  const { data } = await opened().embeddings.create({ model, input: texts })
  const vectors = data.map(({ embedding }) => [...embedding])
  expect(vectors.every(({ length }) => length === 32)).toBe(true)
  expect(largestDifference(vectors, expected(model))).toBeLessThan(0.02)
})

test('the terminal gives those of the clear model, a line for each text', () => {
  const args = [
    'embed',
    '--model',
    join(folder, 'first'),
    '--protection',
    'clear',
    '--json',
    '--text',
    ...texts,
  ]
  const { stdout, stderr, status } = spawnSync(process.execPath, [program(), ...args], { encoding: 'utf8' })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { embedding: number[]; tokens: number; cut: boolean })
  expect(lines.map(({ cut }) => cut)).toEqual([false, false, false])
  expect(
    largestDifference(
      lines.map(({ embedding }) => embedding),
      expected('first'),
    ),
  ).toBeLessThan(1e-5)
})
