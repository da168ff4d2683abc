/** A veiled model behind evidence of an enclave, through both doors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { garmentPictures } from '../../../test/support/pictures/garments.ts'
import { veilModel } from '../../../tools/veil/veil.ts'
import type { AttestationPolicy } from '../../handshake/attestation/policy.ts'
import { simulatorPolicy } from '../../handshake/attestation/simulate.ts'
import { loadIdentity, newIdentity } from '../../handshake/node/key-file.ts'
import { nodeOwner } from '../../owner/node/owner.ts'
import type { Owner } from '../../owner/owner.ts'
import { type RunningServer, startServer } from '../../server/start.ts'
import { VEILED } from './id.ts'
import { readKits } from './node/kits.ts'

const shipped = new URL('../../../models/fashion-vit', import.meta.url).pathname
const dir = mkdtempSync(join(tmpdir(), 'sotto-attested-'))
const cloud = join(dir, 'garments')
const keys = join(dir, 'keys')
const simulator = join(dir, 'simulator.pem')
const policy = simulatorPolicy(loadIdentity(simulator))
const [picture] = garmentPictures()
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  await veilModel({ from: shipped, out: cloud, keys, group: 'bits', tenant: 'test' })
})
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})
afterAll(() => rmSync(dir, { recursive: true }))

async function serve(attest?: string): Promise<RunningServer> {
  const server = await startServer({
    ...{ identity: newIdentity(), catalog: [], log: pino({ level: 'silent' }) },
    settings: { [VEILED]: { clouds: [cloud], attest } },
    ...{ host: '127.0.0.1', port: 0, origins: [] },
  })
  opened.push(server)
  return server
}

function ownerOf({ url }: RunningServer, policy?: AttestationPolicy): Owner {
  const owner = nodeOwner({ server: url, protections: { [VEILED]: { kits: readKits(keys), policy } } })
  opened.push(owner)
  return owner
}

const open = (owner: Owner, link: 'ws' | 'fetch' = 'ws') =>
  owner.open({ model: 'garments', link }, () => undefined)

/** Prints what it was asked for, where a real enclave's tool would print a document. */
const program = (body: string): string => {
  const file = join(dir, 'program.mjs')
  writeFileSync(file, body)
  return `${process.execPath} ${file}`
}

test.each(['ws', 'fetch'] as const)(
  'over %s a simulator is used as an enclave, and not called one',
  async (link) => {
    const server = await serve(simulator)
    const owner = ownerOf(server, policy)
    const heard: string[] = []
    const info = await owner.open({ model: 'garments', link }, (event) => {
      if (event.type === 'notice') heard.push(event.text)
    })
    expect(info.enclave).toMatchObject({ isAttested: false, reason: /nothing vouches for it/ })
    expect(heard.join()).toContain('Not attested')
    const [sealed] = await owner.classify([{ text: '', picture }])
    const plain = ownerOf(server)
    expect((await open(plain, link)).enclave).toMatchObject({ isAttested: false, reason: /^Nothing proves/ })
    const [bare] = await plain.classify([{ text: '', picture }])
    expect(sealed.probabilities).toEqual(bare.probabilities)
    // Each message is longer by its seal.
    expect(owner.totals().upBytes).toBeGreaterThan(plain.totals().upBytes + 16)
  },
)

test('who demands an enclave sends nothing where there is none, or another one', async () => {
  const refused = async (owner: Owner, message: RegExp) => {
    await expect(open(owner)).rejects.toMatchObject({ code: 'not-attested', message })
    await expect(owner.classify([{ text: '', picture }])).rejects.toMatchObject({ code: 'expired' })
  }
  await refused(ownerOf(await serve(), policy), /shows no evidence/)
  const server = await serve(simulator)
  await refused(ownerOf(server, simulatorPolicy(newIdentity())), /signature does not hold/)
  const nitro: AttestationPolicy = {
    ...{ format: policy.format, platform: 'aws-nitro', maxAge: 60 },
    pcrs: { 0: ['1'.repeat(96)], 1: ['1'.repeat(96)], 2: ['1'.repeat(96)] },
  }
  await refused(ownerOf(server, nitro), /simulator/)
})

test('a simulator whose key is not there does not start', async () => {
  await expect(serve(join(dir, 'none.pem'))).rejects.toThrow(/sotto attest simulate/)
})

test('a program is asked for evidence of each session, with its nonce and the server’s key', async () => {
  const evidence = `{format:'sotto-evidence/1',platform:'simulator',signature:Buffer.from(env.SOTTO_NONCE.repeat(2),'hex').toString('base64url'),channelKey:Buffer.from(env.SOTTO_CHANNEL_KEY,'hex').toString('base64url')}`
  const server = await serve(program(`const {env}=process;console.log(JSON.stringify(${evidence}))`))
  // Its form is right, and nobody has signed it.
  await expect(open(ownerOf(server, policy))).rejects.toMatchObject({ message: /signature does not hold/ })
  for (const body of ['process.exit(1)', "console.log('{}')", "console.log('x'.repeat(300000))"]) {
    program(body)
    await expect(open(ownerOf(server, policy))).rejects.toMatchObject({
      message: /cannot show evidence/,
    })
  }
})
