import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { NOW } from '../../../test/support/attestation/certificates.ts'
import { nitroWorld, signedDocument } from '../../../test/support/attestation/nitro.ts'
import { toHex } from '../../handshake/encoding.ts'
import { programFor } from '../program.ts'

const dir = mkdtempSync(join(tmpdir(), 'sotto-attest-'))
afterEach(() => vi.restoreAllMocks())
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function printed(...words: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  write.mockClear()
  await (await programFor(['attest', ...words])).parseAsync(['attest', ...words], { from: 'user' })
  return write.mock.calls.map(([text]) => String(text)).join('')
}

it('holds a document against a policy, in any of its forms', async () => {
  const world = await nitroWorld()
  const document = await signedDocument(world.fields(), world.leaf)
  const [raw, base64, json, policy] = ['raw', 'base64', 'evidence.json', 'policy.json'].map((f) =>
    join(dir, f),
  )
  writeFileSync(raw, document)
  writeFileSync(base64, `${Buffer.from(document).toString('base64')}\n`)
  const evidence = { format: 'sotto-evidence/1', platform: 'aws-nitro' }
  const text = Buffer.from(document).toString('base64url')
  writeFileSync(json, JSON.stringify({ ...evidence, document: text }))
  writeFileSync(policy, JSON.stringify(world.policy))
  const words = ['--policy', policy, '--nonce', toHex(world.demand.nonce), '--at', NOW.toISOString()]
  for (const file of [raw, base64, json]) {
    const facts = JSON.parse(await printed('verify', file, ...words, '--json')) as Record<string, unknown>
    expect(facts).toMatchObject({ isAttested: true, channelKey: toHex(world.publicKey) })
  }
  expect(await printed('verify', raw, ...words)).toContain('Attested: aws-nitro')
  words[3] = '00'.repeat(32)
  await expect(printed('verify', raw, ...words)).rejects.toMatchObject({ code: 'wrong-nonce' })
})

it('says of a simulator that it is not attested', async () => {
  const words = ['--nonce', '01'.repeat(32)]
  await printed('simulate', '--out', dir, ...words)
  const [evidence, policy] = ['evidence.json', 'policy.json'].map((file) => join(dir, file))
  expect(JSON.parse(readFileSync(policy, 'utf8'))).toMatchObject({ platform: 'simulator' })
  const text = await printed('verify', evidence, '--policy', policy, ...words)
  expect(text).toContain('Not attested')
  expect(text).not.toMatch(/^Attested/m)
})
