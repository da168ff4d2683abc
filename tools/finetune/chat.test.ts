import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPublic, type PublicModel } from '../../src/model/files/bundle.ts'
import { type Bundle, loadBundle } from '../../src/model/files/bundle-node.ts'
import { readCatalog } from '../../src/model/files/catalog.ts'
import { parseManifest, sha256 } from '../../src/model/files/manifest.ts'
import { decodeSafetensors } from '../../src/model/files/safetensors.ts'
import { openLink } from '../../test/support/session/owner.ts'
import { largestError, openOwner, startEngineParties } from '../../test/support/session/private-run.ts'
import { tinyConfig, writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { serveSplit, splitTiny } from '../../test/support/split-bundle.ts'
import { readLedger } from '../privacy/ledger.ts'
import { prepareChat } from './chat-base.ts'
import { DataError } from './data.ts'
import { type FineTuneOptions, type FineTuneSummary, runFineTune } from './finetune.ts'
import { holdOut } from './hold-out.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-chat-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const words = ['Hello', 'how', 'are', 'you', 'latte', 'tea']
const dialogues = Array.from({ length: 30 }, (_, i) => ({
  id: String(i),
  turns: [
    { role: 'user' as const, text: `${words[i % 6]} ${words[(i * 5 + 1) % 6]} ${i}?` },
    { role: 'assistant' as const, text: `${words[(i * 7) % 6]}.` },
  ],
}))

let base: Bundle
let tuned: Bundle
let asOwner: PublicModel
let asked: string[]
let summary: FineTuneSummary
const bundle = join(dir, 'out', 'bundle')
const options: FineTuneOptions = {
  base: join(dir, 'base'),
  task: 'chat',
  data: join(dir, 'dialogues.jsonl'),
  out: join(dir, 'out'),
  ...{ method: 'ffa-lora', rank: 2, alpha: 4, seed: 1, heldOut: 0.2, pairsPerText: 1, isPrivate: true },
  ...{ wordDropout: 0, smoothing: 0, threads: 1, epochs: 2, batch: 8, learningRate: 0.01, weightDecay: 0 },
  ...{ averageEpochs: 1, about: { name: 'Tuned' }, resume: false },
  privacy: {
    ...{ epsilon: 8, delta: 1e-3, clip: 1, accountant: 'rdp', optimizer: 'dp-adamw' },
    ledgers: join(dir, 'ledgers'),
  },
} as FineTuneOptions

beforeAll(async () => {
  base = await writeTinyBundle(dir, 'base')
  writeFileSync(options.data, dialogues.map((d) => JSON.stringify(d)).join('\n'))
  summary = await runFineTune(options)
  tuned = await loadBundle(bundle)
  asked = []
  asOwner = await loadPublic(async (name) => {
    asked.push(name)
    return new Response(new Uint8Array(readFileSync(join(bundle, name))))
  })
})

const names = (file: string) => [...decodeSafetensors(readFileSync(join(bundle, file))).tensors.keys()]

describe('a chat model, tuned privately', () => {
  it('reports perplexities, and counts every step', () => {
    const { train } = holdOut(dialogues, 0.2)
    expect(summary.examples).toBe(train.length)
    expect(summary.perplexity!.base).toBeGreaterThan(1)
    expect(summary.perplexity!.tuned).toBeGreaterThan(1)
    expect(summary.perplexity!.tuned).not.toBe(summary.perplexity!.base)
    expect(readLedger(summary.privacy!.ledger).steps).toBe(summary.steps)
    expect(summary.privacy!.epsilon).toBeLessThanOrEqual(8)
  })

  it('leaves A and the base as they were, and changes B', () => {
    const start = prepareChat({ config: base.manifest.config, tensors: base.tensors }, options)
    for (const [name, { data }] of start.tensors) {
      const now = tuned.tensors.get(name)!.data
      const change = now.reduce((most, v, i) => Math.max(most, Math.abs(v - data[i])), 0)
      if (name.includes('lora_B')) expect(change, name).toBeGreaterThan(1e-4)
      // Half precision alone.
      else expect(change, name).toBeLessThan(1e-3)
    }
  })

  it('has the adapters in the private file, the ends in the public one, and the rest in the base', () => {
    expect(names('private.safetensors').every((name) => name.endsWith('.lora_B.weight'))).toBe(true)
    expect(names('private.safetensors')).toHaveLength(7 * tinyConfig.layers)
    expect(names('public.safetensors')).toEqual(['model.embed_tokens.weight', 'model.norm.weight'])
    expect(names('base.safetensors')).toHaveLength(2 * 7 + 2)
    expect(tuned.manifest.profile.fixed).toBeDefined()
    expect(tuned.manifest.chat).toEqual(base.manifest.chat)
  })

  it('needs no base at the data owner', () => {
    expect(asked).toEqual(['manifest.json', 'tokenizer.json', 'public.safetensors'])
    expect([...asOwner.tensors.keys()]).toEqual(['model.embed_tokens.weight', 'model.norm.weight'])
  })

  it('is served: base and all, but for the private file, and after models of their own', async () => {
    const models = join(dir, 'models')
    for (const [from, name] of [
      [bundle, 'a-tuned'],
      [options.base, 'z-base'],
    ]) {
      mkdirSync(join(models, name), { recursive: true })
      for (const file of ['manifest.json', ...Object.keys((await loadBundle(from)).manifest.files)])
        copyFileSync(join(from, file), join(models, name, file))
    }
    const [first, second] = await readCatalog(models)
    expect([first.name, second.name]).toEqual(['z-base', 'a-tuned'])
    expect([...second.files.keys()].sort()).toEqual([
      ...['base.safetensors', 'config.json', 'manifest.json', 'public.safetensors', 'tokenizer.json'],
    ])
  })

  it('gives no private tensor away in a base file that holds one', async () => {
    const bad = join(dir, 'bad')
    mkdirSync(bad)
    for (const file of Object.keys(tuned.manifest.files)) copyFileSync(join(bundle, file), join(bad, file))
    const leak = readFileSync(join(bundle, 'private.safetensors'))
    writeFileSync(join(bad, 'base.safetensors'), leak)
    const manifest = parseManifest(readFileSync(join(bundle, 'manifest.json'), 'utf8'))
    manifest.files['base.safetensors'] = { bytes: leak.length, sha256: await sha256(Uint8Array.from(leak)) }
    writeFileSync(join(bad, 'manifest.json'), JSON.stringify(manifest))
    await expect(readCatalog(bad)).rejects.toThrow('which is not public')
  })

  it('answers privately as the merged model does in float, to an owner with the public file alone', async () => {
    const parties = await startEngineParties(bundle)
    const owner = await openOwner(parties, asOwner, () => openLink(parties))
    expect(await largestError(owner, tuned, [[0, 1, 40, 41], [42]])).toBeLessThan(0.05)
    await owner.close()
    await parties.close()
  })
})

it('is split between server and dealer like any other, its base staying public', async () => {
  const split = await splitTiny(dir, async () => tuned, join('..', 'out', 'bundle'))
  const held = readdirSync(split.report.server)
  expect(held).toContain('base.safetensors')
  expect(held).not.toContain('private.safetensors')
  const parties = await serveSplit(split)
  const owner = await openOwner(
    parties,
    await loadPublic(
      async (name) => new Response(new Uint8Array(readFileSync(join(split.report.server, name)))),
    ),
    () => openLink(parties),
  )
  expect(await largestError(owner, tuned, [[0, 1, 40]])).toBeLessThan(0.05)
  await owner.close()
  await parties.close()
})

it('refuses data and bases that cannot be used', async () => {
  const out = join(dir, 'other')
  const again = runFineTune({ ...options, out, base: bundle })
  await expect(again).rejects.toThrow('has adapters already')
  writeFileSync(join(dir, 'one.jsonl'), JSON.stringify(dialogues[0]))
  await expect(runFineTune({ ...options, out, data: join(dir, 'one.jsonl') })).rejects.toThrow(DataError)
  await expect(runFineTune({ ...options, out, task: 'labels' })).rejects.toThrow('does not classify')
})
