/** Pictures under the veil: labels of a shipped model stay what they were, for each of a sheet of garments. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collageOf, garmentClasses, garmentPictures } from '../../../test/support/pictures/garments.ts'
import { pictureRows, textTwin } from '../../../test/twins/llava.ts'
import { vitTwin } from '../../../test/twins/vit.ts'
import { exchange } from '../../../tools/pictures/collage-batches.ts'
import { readVitFolder } from '../../../tools/pictures/fashion-models.ts'
import { fashionNormal } from '../../../tools/pictures/write-folder.ts'
import { veilModel } from '../../../tools/veil/veil.ts'
import { toBase64Url } from '../../handshake/encoding.ts'
import { newIdentity } from '../../handshake/node/key-file.ts'
import type { ModelConfig } from '../../model/architectures/config.ts'
import { decodeSafetensors } from '../../model/files/safetensors.ts'
import { readLlava } from '../../model/pictures/llava.ts'
import { patchesOf } from '../../model/pictures/patches.ts'
import { preparePicture, type RgbaPicture } from '../../model/pictures/prepare.ts'
import { nodeOwner } from '../../owner/node/owner.ts'
import { startServer } from '../../server/start.ts'
import { VEILED } from './id.ts'
import { readKits } from './node/kits.ts'
import { OwnerEnds } from './owner-ends.ts'
import { veilPicture } from './pictures.ts'
import { readCloud } from './server/checkpoint.ts'
import type { PictureEngine } from './server/engine.ts'
import { loadEngine } from './server/load.ts'

const shipped = new URL('../../../models/fashion-vit', import.meta.url).pathname
const dir = mkdtempSync(join(tmpdir(), 'sotto-pictures-'))
afterAll(() => rmSync(dir, { recursive: true }))
const calm = new AbortController().signal
const pictures = garmentPictures()
let wanted: number[][]

beforeAll(() => {
  const { config, tensors } = readVitFolder(shipped)
  const twin = { ...config, kvHeads: config.heads, arch: 'vit', tied: false, vocab: 0, context: 0 }
  wanted = pictures.map((picture) => {
    const patches = patchesOf(preparePicture(picture, config), config, fashionNormal)
    return vitTwin(
      twin as ModelConfig,
      tensors,
      patches.map((patch) => [...patch]),
    )
  })
})

const veil = (name: string, group: 'bits' | 'full', from = shipped) =>
  veilModel({ from, out: join(dir, name), keys: join(dir, `${name}-keys`), group, tenant: 'test' })

const serve = (name: string) =>
  startServer({
    identity: newIdentity(),
    catalog: [],
    settings: { [VEILED]: { clouds: [join(dir, name)] } },
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: 0,
    origins: [],
  })

test('the shipped model knows garments', () => {
  const right = wanted.filter((row, i) => row.indexOf(Math.max(...row)) === garmentClasses[i]).length
  expect(right).toBeGreaterThanOrEqual(27)
})

test.each(['bits', 'full'] as const)('group %s: every label is the original’s', async (group) => {
  const { keyId } = await veil(group, group)
  const kit = readKits(join(dir, `${group}-keys`))[keyId]
  const ends = new OwnerEnds(kit.key)
  const engine = (await loadEngine(readCloud(join(dir, group)), { threads: 1 })) as PictureEngine
  expect(engine).toMatchObject({ kind: 'picture', patches: 16, pixels: 49, labels: 10 })
  for (const [i, picture] of pictures.entries()) {
    const { values, view } = veilPicture(picture, kit.pictures!, ends)
    expect([...view.own]).toEqual([...preparePicture(picture, kit.pictures!)])
    const logits = ends.unveilLabels(await engine.label(values, calm))
    wanted[i].forEach((value, label) => {
      expect(Math.abs(logits[label] - value)).toBeLessThan(5e-3)
    })
    expect(logits.indexOf(Math.max(...logits))).toBe(wanted[i].indexOf(Math.max(...wanted[i])))
  }
  await engine.close()
})

test('through both doors a picture gets its label, and a text is refused', async () => {
  await veil('served', 'bits')
  const server = await serve('served')
  const kits = readKits(join(dir, 'served-keys'))
  const owner = nodeOwner({ server: server.url, protections: { [VEILED]: { kits } } })
  const { model } = await owner.open({ model: 'served' }, () => undefined)
  expect(model).toMatchObject({ task: 'classify', reads: 'pictures' })
  const { labels } = readVitFolder(shipped).config
  const results = await owner.classify(pictures.slice(0, 3).map((picture) => ({ text: '', picture })))
  results.forEach(({ label, view }, i) => {
    expect(label).toBe(labels[wanted[i].indexOf(Math.max(...wanted[i]))])
    expect(view?.own).toHaveLength(784)
  })
  await expect(owner.classify([{ text: 'a coat' }])).rejects.toMatchObject({ code: 'wrong-task' })
  await owner.close()
  await server.close()
})

test('a question on four garments gets the answer that the original gives', async () => {
  const from = new URL('../../../models/fashion-llava', import.meta.url).pathname
  await veil('asked', 'full', from)
  const server = await serve('asked')
  const owner = nodeOwner({
    server: server.url,
    protections: { [VEILED]: { kits: readKits(join(dir, 'asked-keys')) } },
  })
  const { model } = await owner.open({ model: 'asked' }, () => undefined)
  expect(model).toMatchObject({ task: 'classify', reads: 'pictures', outputs: 'text' })
  // A boot, a pullover and a pair of trousers, and a bag.
  const picture = collageOf([0, 1, 2, 18].map((n) => pictures[n]))
  const questions = ['What is at the top left?', 'How many bags are there?']
  const found = await owner.classify(questions.map((text) => ({ text, picture })))
  for (const { isCut, view } of found) {
    expect(isCut).toBe(false)
    expect(view?.own).toEqual(Uint8Array.from({ length: 56 * 56 }, (_, at) => picture.data[4 * at]))
    expect(view?.cloud).toHaveLength(56 * 56)
  }
  expect(found.map(({ label }) => label)).toEqual([
    'a boot.',
    expect.stringMatching(/^(none|one|two|three|four)\.$/),
  ])
  // A forward pass in float64 takes a while.
  expectLikeliest(from, picture, questions[1], found[1].label)
  const refusals = [
    [{ text: 'What is at the top left?' }, 'wrong-task'],
    [{ text: ' ', picture }, 'empty'],
    [{ text: 'what do you see? '.repeat(30), picture }, 'context'],
  ] as const
  for (const [input, code] of refusals) await expect(owner.classify([input])).rejects.toMatchObject({ code })
  await owner.close()
  await server.close()
})

/** Of the twin of the original each token of the answer is the likeliest behind those before it, and then the mark that ends it. */
function expectLikeliest(from: string, picture: RgbaPicture, question: string, answer: string): void {
  const path = join(from, 'config.json')
  const config = readLlava(JSON.parse(readFileSync(path, 'utf8')), path)
  const { tensors } = decodeSafetensors(readFileSync(join(from, 'model.safetensors')))
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(from, 'tokenizer.json'), 'utf8')), {})
  const { tower, towerLayers } = config
  const clip = { ...tower, layers: towerLayers + 1, kvHeads: tower.heads, arch: 'clip', tied: false }
  const patches = patchesOf(preparePicture(picture, { ...tower, background: 'dark' }), tower, fashionNormal)
  const seen = pictureRows(
    { ...clip, vocab: 0, context: 0 } as ModelConfig,
    tensors,
    patches.map((patch) => [...patch]),
  )
  const { before, answered } = exchange(tokenizer, question, answer)
  const text = textTwin(config.text, tensors)
  const embedded = [...before, ...answered.slice(0, -1)].map((id) => text.embed(id))
  const logits = text.rows([text.embed(0), ...seen, ...embedded]).slice(-answered.length)
  expect(logits.map((row) => row.indexOf(Math.max(...row)))).toEqual(answered)
}

test('what a cloud could see travels with the keys, and is shown beside the picture', async () => {
  const from = join(dir, 'measured')
  cpSync(shipped, from, { recursive: true })
  const encoded = (values: readonly number[]): string =>
    toBase64Url(new Uint8Array(Float32Array.from(values).buffer))
  // A cloud that sees all at half its strength, and the patches in their reverse order.
  const map = Array.from({ length: 49 * 49 }, (_, i) => (i % 50 === 0 ? 0.5 : 0))
  const places = Array.from({ length: 16 }, (_, i) => 15 - i)
  const around = new Array<number>(49).fill(0)
  const write = (value: object): void =>
    writeFileSync(join(from, 'reconstruction.json'), JSON.stringify(value))
  write({ map: encoded(map), around: encoded(around), places, correlation: 0.5 })
  const { keyId } = await veil('seen', 'full', from)
  expect(readFileSync(join(dir, 'seen', 'config.json'), 'utf8')).not.toContain('reconstruction')
  const kit = readKits(join(dir, 'seen-keys'))[keyId]
  const { own, cloud } = veilPicture(pictures[0], kit.pictures!, new OwnerEnds(kit.key)).view
  const at = (y: number, x: number): number => 28 * y + x
  const half = (byte: number): number => (byte / 255 - 0.286) / 2 + 0.286
  expect(cloud![at(0, 0)]).toBeCloseTo(255 * half(own[at(21, 21)]), -1)
  expect(cloud![at(26, 26)]).toBeCloseTo(255 * half(own[at(5, 5)]), -1)
  write({ map: 'no numbers!', around: '', places, correlation: 2 })
  await expect(veil('wrong', 'full', from)).rejects.toThrow('reconstruction')
})
