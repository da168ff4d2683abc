/** The owner's whole engine on split models: a classifier, and a chat model of which only adapters are private. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { closeLinks, openLink } from '../../../../test/support/session/owner.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { largestError, openOwner } from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import { writeTinyClassifier } from '../../../../test/support/session/tiny-classifier.ts'
import { serveSplit, splitTiny } from '../../../../test/support/split-bundle.ts'
import { pageConfig } from '../../../cli/page-config.ts'
import { type Bundle, loadBundle, writeBundle } from '../../../model/files/bundle-node.ts'
import { encoderModel } from '../../../model/graph/encoder-model.ts'
import { softmax } from '../../../model/math.ts'
import { randomModel } from '../../../model/random.ts'
import { encodeForEncoder } from '../../../model/tokenizer/encode-text.ts'
import { nodePlatform } from '../../../owner/node/platform.ts'
import { Owner } from '../../../owner/owner.ts'
import { calibrated } from '../profiles/calibrated.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-split-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function ownerOf(parties: Parties): Owner {
  const { dealerUrl, dealerKey } = parties.request()
  const config = pageConfig(parties.server.url, { url: dealerUrl, key: dealerKey }, 0)
  return new Owner(config, nodePlatform())
}

it('a split classifier gives the float model’s probabilities', async () => {
  const { whole, ...model } = await splitTiny(join(folder, 'a'), writeTinyClassifier, 'classifier')
  const parties = await serveSplit({ whole, ...model })
  const owner = ownerOf(parties)
  try {
    await owner.open({ model: 'classifier', link: 'ws' }, () => undefined)
    const text = 'the story was long and sad but not bad'
    const [{ probabilities }] = await owner.classify([{ text }])
    const { config } = whole.manifest
    const input = encodeForEncoder(new Tokenizer(whole.tokenizer, {}), config, config.context, text)
    const want = encoderModel(config, whole.tensors).forward(input).logits!
    softmax(want)
    probabilities.forEach(({ probability }, i) => {
      expect(Math.abs(probability - want[i])).toBeLessThan(0.005)
    })
  } finally {
    await owner.close()
    await parties.close()
  }
})

/** FFA-LoRA: base and A public, B private. */
async function writeAdapted(at: string): Promise<Bundle> {
  const { manifest, tokenizer } = await writeTinyBundle(join(at, '..', 'base'))
  const config = { ...manifest.config, lora: { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'up_proj'] } }
  const tensors = randomModel(config, 7)
  const { files: _f, format: _t, tensors: _l, ...about } = manifest
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const texts = [all.slice(0, 100), all.slice(100, 200), all.slice(200)]
  const profile = await calibrated(config, tensors, texts)
  const visibility = (name: string) => (name.includes('lora_B') ? 'private' : 'public')
  await writeBundle(join(at, 'tiny'), { ...about, config, profile, tokenizer, tensors, visibility })
  return loadBundle(join(at, 'tiny'))
}

it('private adapters of a public base are split with the matrices that they change, and no others', async () => {
  const model = await splitTiny(join(folder, 'b'), writeAdapted)
  expect(model.report.matrices).toBe(2)
  expect(readdirSync(model.report.server)).not.toContain('private.safetensors')
  const parties = await serveSplit(model)
  try {
    const owner = await openOwner(parties, await publicOf(model.whole), () => openLink(parties))
    expect(await largestError(owner, model.whole, [[1, 5, 9], [33]])).toBeLessThan(0.05)
    await owner.close()
  } finally {
    await closeLinks()
    await parties.close()
  }
})

/** What an owner has: the manifest says split, and no private tensor is there. */
async function publicOf({ manifest, tensors, privateNames }: Bundle) {
  const custody = { kind: 'split' as const, id: '0'.repeat(64) }
  const known = new Map([...tensors].filter(([name]) => !privateNames.has(name)))
  return { manifest: { ...manifest, custody }, tensors: known }
}
