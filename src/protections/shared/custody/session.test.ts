/** Split custody end to end: a bundle is split, server and dealer load their split bundles, an owner runs the model. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeLinks, openLink } from '../../../../test/support/session/owner.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import { largestError, openOwner } from '../../../../test/support/session/private-run.ts'
import { kernels, type SplitModel, serveSplit, splitTiny } from '../../../../test/support/split-bundle.ts'
import { splitBundle } from '../../../../tools/split/split.ts'
import { splitCommand } from '../../../cli/commands/split.ts'
import { toBase64Url } from '../../../handshake/encoding.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { loadPublic } from '../../../model/files/bundle.ts'
import { loadBundle } from '../../../model/files/bundle-node.ts'
import { readCatalog } from '../../../model/files/catalog.ts'
import { PlanDealer } from '../dealer/engine.ts'
import { readSplitBundles } from '../dealer/split-bundles.ts'
import { PlanServer } from '../server/engine.ts'
import { BETA_FILE, SEED_FILE } from './split-bundle.ts'

let folder: string
let model: SplitModel
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-split-'))
  model = await splitTiny(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a split model', () => {
  let parties: Parties
  beforeAll(async () => {
    parties = await serveSplit(model)
  })
  afterEach(closeLinks)
  afterAll(() => parties.close())

  it('gives the float model’s logits to an owner that has the public files alone', async () => {
    const base = `${parties.server.url}/api/models/tiny/`
    const known = await loadPublic((name) => fetch(base + name))
    expect([...known.tensors.keys()]).not.toContain('model.layers.0.mlp.up_proj.weight')
    const owner = await openOwner(parties, known, () => openLink(parties))
    expect(owner.session.privateProducts).toBe(0)
    // Long enough for the products that many rows take.
    const prompt = Array.from({ length: 20 }, (_, i) => (i * 37) % 270)
    expect(await largestError(owner, model.whole, [prompt, [7], [21, 40]])).toBeLessThan(0.05)
    await owner.close()
  })

  it.each([
    ['missing', 'split-bundle-missing', () => undefined],
    ['of another session', 'malformed', () => toBase64Url(new Uint8Array(48).fill(7))],
    ['altered', 'malformed', (seed: string) => (seed.startsWith('A') ? 'B' : 'A') + seed.slice(1)],
    ['too short', 'malformed', (seed: string) => seed.slice(4)],
  ] as const)('ends with a typed error where the dealer’s seed is %s', async (_, code, change) => {
    const altered: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (!String(input).endsWith('/session')) return response
      const { splitSeed, ...answer } = (await response.json()) as Record<string, string>
      expect(splitSeed).toHaveLength(64)
      return Response.json({ ...answer, splitSeed: change(splitSeed) })
    }
    const known = await loadPublic((name) => fetch(`${parties.server.url}/api/models/tiny/${name}`))
    await expect(openOwner(parties, known, () => openLink(parties), altered)).rejects.toMatchObject({
      code,
      advice: expect.stringMatching(/\w/),
    })
  })

  it('is registered at the dealer without a byte of weights', async () => {
    const catalog = await readCatalog(join(model.out, 'server'))
    const engine = await PlanServer.load(kernels, catalog, undefined, model.server)
    const { header, tensors } = engine.registration(model.report.modelHash)
    expect(header).toEqual(new Uint8Array(readFileSync(join(model.report.server, 'manifest.json'))))
    for await (const tensor of tensors) expect.unreachable(`${tensor.length} bytes`)
  })

  it('keeps what server and dealer hold off the server’s public address', async () => {
    for (const file of [BETA_FILE, SEED_FILE, 'private.safetensors']) {
      const { status } = await fetch(`${parties.server.url}/api/models/tiny/${file}`)
      expect(status).toBe(404)
    }
  })

  it('is refused by a dealer without its split bundle, with advice', async () => {
    const makeEngine = () => new PlanDealer(kernels)
    await expect(serveSplit(model, { dealer: { makeEngine } })).rejects.toMatchObject({
      code: 'split-bundle-missing',
      advice: expect.stringContaining('sotto deal --models'),
    })
  })
})

describe('split bundles', () => {
  const load = async (out: string, server = model.server) =>
    PlanServer.load(kernels, await readCatalog(join(out, 'server')), undefined, server)

  it('open for the keys that they were made for alone', async () => {
    await expect(load(model.out, newIdentity())).rejects.toThrow('is sealed for the key')
    await expect(readSplitBundles(join(model.out, 'dealer'), newIdentity())).rejects.toThrow(
      'is sealed for the key',
    )
    await expect(readSplitBundles(join(model.out, 'server'), model.server)).rejects.toThrow(
      "the server's split bundle",
    )
  })

  it('serve the server that they were made for, and no other that has the public manifest', async () => {
    const splitBundles = await readSplitBundles(join(model.out, 'dealer'), model.dealer)
    const header = readFileSync(join(model.report.server, 'manifest.json'))
    const none = async function* (): AsyncGenerator<Uint8Array> {}
    const register = (key?: Uint8Array) =>
      new PlanDealer(kernels, splitBundles, key && toBase64Url(key)).registerModel(
        model.report.modelHash,
        header,
        none(),
      )
    await expect(register(model.server.publicKey)).resolves.toBe(model.report.planHash)
    for (const other of [newIdentity().publicKey, model.dealer.publicKey, undefined])
      await expect(register(other)).rejects.toMatchObject({ code: 'split-bundle-missing' })
    // Nor can the dealer's split bundle be rewritten for another.
    const path = join(model.report.dealer, SEED_FILE)
    const text = readFileSync(path, 'utf8')
    const changed = { ...JSON.parse(text), server: toBase64Url(newIdentity().publicKey) }
    writeFileSync(path, JSON.stringify(changed))
    await expect(readSplitBundles(join(model.out, 'dealer'), model.dealer)).rejects.toMatchObject({
      code: 'bad-seal',
    })
    writeFileSync(path, text)
  })

  it('that are not from one splitting, or damaged, are refused', async () => {
    const out = join(folder, 'again')
    const keys = { server: model.server.publicKey, dealer: model.dealer.publicKey }
    const again = await splitBundle({ bundle: join(folder, 'whole', 'tiny'), out, keys, kernels })
    expect(again.modelHash).not.toBe(model.report.modelHash)
    expect(again.planHash).toBe(model.report.planHash)
    // A server with one splitting, a dealer with another: they do not even agree on the model.
    const splitBundles = await readSplitBundles(join(model.out, 'dealer'), model.dealer)
    expect([...splitBundles.keys()]).toEqual([model.report.modelHash])

    const beta = join(out, 'server', 'tiny', BETA_FILE)
    const bytes = readFileSync(beta)
    bytes[1000] ^= 1
    writeFileSync(beta, bytes)
    await expect(load(out)).rejects.toThrow('not what it was')
    // A seed of another splitting of the same model.
    const seed = readFileSync(join(model.out, 'server', 'tiny', SEED_FILE))
    writeFileSync(join(out, 'server', 'tiny', SEED_FILE), seed)
    await expect(load(out)).rejects.toMatchObject({ code: 'bad-seal' })
    writeFileSync(join(out, 'server', 'tiny', SEED_FILE), '{}')
    await expect(load(out)).rejects.toThrow('is not a sealed seed')
  })

  it('are not whole bundles, and whole bundles are not split bundles', async () => {
    await expect(loadBundle(model.report.server)).rejects.toThrow('private.safetensors')
    await expect(readSplitBundles(join(folder, 'whole'), model.dealer)).rejects.toThrow('whole bundle')
    await expect(readSplitBundles(join(folder, 'nowhere'), model.dealer)).rejects.toThrow('sotto model split')
  })
})

describe('splitting', () => {
  const keys = () => ({ server: model.server.publicKey, dealer: model.dealer.publicKey })

  it('is a command, which says where the split bundles are', async () => {
    const out = join(folder, 'by-command')
    const [server, dealer] = [model.server, model.dealer].map((id) => toBase64Url(id.publicKey))
    const said: string[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0)
    const bundle = join(folder, 'whole', 'tiny')
    const split = (...words: string[]) => splitCommand.parseAsync(words, { from: 'user' })
    await split(bundle, '--out', out, '--server-key', server, '--dealer-key', dealer, '--json')
    vi.restoreAllMocks()
    const report = JSON.parse(said.join(''))
    expect(report).toMatchObject({ server: join(out, 'server', 'tiny'), matrices: 4 })
    expect([...(await readSplitBundles(join(out, 'dealer'), model.dealer)).keys()]).toEqual([
      report.modelHash,
    ])
    await expect(split(bundle, '--out', out, '--server-key', server)).rejects.toThrow('--dealer-key')
    await expect(split(bundle, '--out', out, '--server-key', 'x', '--dealer-key', dealer)).rejects.toThrow(
      'must be an identity key',
    )
    await expect(split('--out', out, '--server-key', server, '--dealer-key', dealer)).rejects.toThrow(
      "missing required argument 'bundle'",
    )
  })

  it('leaves nothing behind when it fails, and overwrites nothing', async () => {
    const bundle = join(folder, 'whole', 'tiny')
    await expect(splitBundle({ bundle, out: model.out, keys: keys(), kernels })).rejects.toThrow(
      'is not empty',
    )
    const out = join(folder, 'failed')
    const bad = { ...keys(), dealer: new Uint8Array(32).fill(255) }
    await expect(splitBundle({ bundle, out, keys: bad, kernels })).rejects.toMatchObject({
      code: 'malformed',
    })
    for (const left of [out, `${out}.part`]) expect(() => readFileSync(left)).toThrow('ENOENT')
  })

  it('wants a key for each party, and a folder with or without a slash', async () => {
    const bundle = join(folder, 'whole', 'tiny')
    const out = `${join(folder, 'slash')}/`
    const same = { server: model.dealer.publicKey, dealer: model.dealer.publicKey }
    await expect(splitBundle({ bundle, out, keys: same, kernels })).rejects.toThrow('are the same')
    const report = await splitBundle({ bundle, out, keys: keys(), kernels })
    expect([...(await readSplitBundles(join(out, 'dealer'), model.dealer)).keys()]).toEqual([
      report.modelHash,
    ])
  })

  it('refuses a manifest with a field that is not on the list of public metadata', async () => {
    const bundle = join(folder, 'whole', 'tiny')
    const path = join(bundle, 'manifest.json')
    const text = readFileSync(path, 'utf8')
    const manifest = JSON.parse(text)
    manifest.profile.fixed.largestWeight = 3
    writeFileSync(path, JSON.stringify(manifest))
    try {
      const out = join(folder, 'unlisted')
      await expect(splitBundle({ bundle, out, keys: keys(), kernels })).rejects.toThrow(
        'profile.fixed.largestWeight',
      )
    } finally {
      writeFileSync(path, text)
    }
  })
})
