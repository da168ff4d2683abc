import { expect, test } from 'vitest'
import { nonce } from '../../../test/support/attestation/nitro.ts'
import { signedReport, snpWorld } from '../../../test/support/attestation/snp.ts'
import { toBase64Url } from '../encoding.ts'
import { newIdentity } from '../node/key-file.ts'
import { EVIDENCE_FORMAT, parseEvidence, verifyEvidence } from './evidence.ts'
import { POLICY_FORMAT, parsePolicy } from './policy.ts'
import { simulateEvidence, simulatorPolicy } from './simulate.ts'

const demand = { nonce, at: new Date() }
const key = new Uint8Array(65).fill(4)
const zeros = '0'.repeat(96)
const pcrs = { 0: ['01'.repeat(48)], 1: ['02'.repeat(48)], 2: ['03'.repeat(48)] }
const nitroPolicy = { format: POLICY_FORMAT, platform: 'aws-nitro', pcrs, maxAge: 60 }

test('a simulator is believed by its own policy alone, and never attested', async () => {
  const identity = await newIdentity()
  const evidence = parseEvidence(await simulateEvidence(identity, nonce, key))
  const attested = await verifyEvidence(evidence, simulatorPolicy(identity), demand)
  expect(attested).toMatchObject({ isAttested: false, channelKey: key, platform: 'simulator' })
  const policy = parsePolicy(JSON.stringify(nitroPolicy))
  await expect(verifyEvidence(evidence, policy, demand)).rejects.toMatchObject({ code: 'simulated' })
  const other = simulatorPolicy(await newIdentity())
  await expect(verifyEvidence(evidence, other, demand)).rejects.toMatchObject({ code: 'bad-signature' })
  const stale = { ...demand, nonce: new Uint8Array(32) }
  await expect(verifyEvidence(evidence, simulatorPolicy(identity), stale)).rejects.toMatchObject({
    code: 'bad-signature',
  })
})

test('evidence of a chip travels as JSON, and only under its own policy', async () => {
  const world = await snpWorld()
  const json = {
    format: EVIDENCE_FORMAT,
    platform: 'amd-sev-snp',
    report: toBase64Url(await signedReport(world)),
    chain: world.chain.map(toBase64Url),
    channelKey: toBase64Url(world.channelKey),
  }
  const evidence = parseEvidence(JSON.parse(JSON.stringify(json)))
  expect((await verifyEvidence(evidence, world.policy, world.demand)).isAttested).toBe(true)
  const other = simulatorPolicy(await newIdentity())
  await expect(verifyEvidence(evidence, other, demand)).rejects.toMatchObject({ code: 'other-platform' })
  for (const [wrong, where] of [
    [{ ...json, report: '!' }, 'report'],
    [{ ...json, more: 1 }, 'more'],
    [{ ...json, platform: 'other' }, 'platform'],
    ['text', 'top level'],
  ] as const)
    expect(() => parseEvidence(wrong)).toThrow(where)
})

test('a policy says where it is wrong, and none allows a debug enclave', () => {
  const good = nitroPolicy
  expect(parsePolicy(JSON.stringify(good))).toEqual(good)
  for (const [wrong, where] of [
    [{ ...good, maxAge: 0 }, 'maxAge'],
    [{ ...good, pcrs: { ...pcrs, 1: [] } }, 'pcrs.1'],
    [{ ...good, pcrs: { 0: pcrs[0], 1: pcrs[1] } }, 'pcrs'],
    [{ ...good, pcrs: { ...pcrs, 2: ['0A'.repeat(48)] } }, 'pcrs.2.0'],
    [{ ...good, pcrs: { ...pcrs, 2: [zeros] } }, 'zeros'],
    [{ ...good, min: 1 }, 'min'],
    [{ ...good, format: 'other' }, 'format'],
  ] as const)
    expect(() => parsePolicy(JSON.stringify(wrong))).toThrow(where)
  expect(() => parsePolicy('{')).toThrow('not JSON')
})
