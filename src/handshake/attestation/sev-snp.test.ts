import { beforeAll, describe, expect, test } from 'vitest'
import { NOW } from '../../../test/support/attestation/certificates.ts'
import { published } from '../../../test/support/attestation/published.ts'
import { signedReport, snpWorld, vcekExtensions, vcekOf } from '../../../test/support/attestation/snp.ts'
import { toHex } from '../encoding.ts'
import { POLICY_FORMAT, type SnpPolicy } from './policy.ts'
import { verifySnp } from './sev-snp.ts'

type World = Awaited<ReturnType<typeof snpWorld>>
let world: World
let good: Uint8Array
beforeAll(async () => {
  world = await snpWorld()
  good = await signedReport(world)
})

const verify = (
  report: Uint8Array,
  policy: SnpPolicy = world.policy,
  chain: readonly Uint8Array[] = world.chain,
) => verifySnp({ report, chain, channelKey: world.channelKey }, policy, world.demand)

test('a report of a chip that the root vouches for tells the key', async () => {
  expect(await verify(good)).toMatchObject({
    platform: 'amd-sev-snp',
    isAttested: true,
    channelKey: world.channelKey,
    measurements: { launch: 'ab'.repeat(48) },
  })
})

test('whatever bit of the report is altered, it is refused', async () => {
  for (let at = 0; at < good.length; at += at < 0x1f8 || at >= 0x2a0 ? 5 : 32) {
    const altered = good.slice()
    altered[at] ^= 1 << (at % 8)
    await expect(verify(altered), `byte ${at}`).rejects.toMatchObject({ name: 'AttestationError' })
  }
  await expect(verify(good.subarray(1))).rejects.toMatchObject({ code: 'malformed' })
})

test('whatever bit of a certificate is altered, it is refused', async () => {
  for (const [i, der] of world.chain.entries())
    for (let at = 0; at < der.length; at += 19) {
      const altered = der.slice()
      altered[at] ^= 1 << (at % 8)
      const chain = world.chain.map((one, j) => (i === j ? altered : one))
      await expect(verify(good, world.policy, chain), `byte ${at} of ${i}`).rejects.toMatchObject({
        name: 'AttestationError',
      })
    }
})

describe('what is signed, and must be refused all the same', () => {
  test.each<[string, string, (report: Uint8Array) => void]>([
    [
      'a guest that may be debugged',
      'debug',
      (r) => {
        r[10] |= 8
      },
    ],
    [
      'a guest that may migrate',
      'debug',
      (r) => {
        r[10] |= 4
      },
    ],
    [
      'VMPL 1',
      'wrong-measurement',
      (r) => {
        r[0x30] = 1
      },
    ],
    [
      'another measurement',
      'wrong-measurement',
      (r) => {
        r[0x90] ^= 1
      },
    ],
    [
      'another chip',
      'wrong-chip',
      (r) => {
        r[0x1a0] ^= 1
      },
    ],
    [
      'a key that is not the chip’s (VLEK)',
      'wrong-chip',
      (r) => {
        r[0x48] = 4
      },
    ],
    [
      'a chip that is not named',
      'wrong-chip',
      (r) => {
        r[0x48] = 2
      },
    ],
    [
      'older firmware now',
      'old-firmware',
      (r) => {
        r[0x3f] = 114
      },
    ],
    [
      'firmware that may be rolled back',
      'old-firmware',
      (r) => {
        r[0x1e7] = 114
      },
    ],
    [
      'firmware that launched it',
      'old-firmware',
      (r) => {
        r[0x1f6] = 7
      },
    ],
    [
      'firmware of another certificate',
      'wrong-chip',
      (r) => {
        r[0x187] = 116
      },
    ],
    [
      'another nonce or key',
      'wrong-nonce',
      (r) => {
        r[0x50] ^= 1
      },
    ],
    [
      'an unknown version',
      'malformed',
      (r) => {
        r[0] = 1
      },
    ],
    [
      'another algorithm',
      'malformed',
      (r) => {
        r[0x34] = 2
      },
    ],
    [
      'no policy',
      'malformed',
      (r) => {
        r[10] = 0
      },
    ],
  ])('%s', async (_, code, change) => {
    await expect(verify(await signedReport(world, change))).rejects.toMatchObject({ code })
  })

  test('a chip, or firmware, that its certificate does not name', async () => {
    const lacking = vcekExtensions().slice(0, 4)
    for (const [extensions, code] of [
      [vcekExtensions(new Uint8Array(64)), 'wrong-chip'],
      [vcekExtensions(undefined, 200), 'wrong-chip'],
      [lacking, 'malformed'],
    ] as const) {
      const vcek = await vcekOf(world.ask, extensions)
      const report = await signedReport({ ...world, vcek })
      const chain = [world.ark.der, world.ask.der, vcek.der]
      await expect(verify(report, world.policy, chain)).rejects.toMatchObject({ code })
    }
  })

  test('a chain that lacks a link, and a root of somebody else’s', async () => {
    await expect(verify(good, world.policy, world.chain.slice(1))).rejects.toMatchObject({
      code: 'bad-chain',
    })
    await expect(verify(good, { ...world.policy, root: undefined })).rejects.toMatchObject({
      code: 'untrusted-root',
    })
    const chips = ['00'.repeat(64)]
    await expect(verify(good, { ...world.policy, chips })).rejects.toMatchObject({ code: 'wrong-chip' })
  })
})

describe('published reports', () => {
  const policyOf = (report: Uint8Array): SnpPolicy => ({
    format: POLICY_FORMAT,
    platform: 'amd-sev-snp',
    measurements: [toHex(report.subarray(0x90, 0xc0))],
    minimumTcb: { bootloader: 2, tee: 0, snp: 5, microcode: 68 },
    chips: [toHex(report.subarray(0x1a0, 0x1e0))],
  })
  const check = ({ report, chain }: (typeof published)['snp'], policy = policyOf(report)) => {
    const nonce = new Uint8Array(32)
    return verifySnp({ report, chain, channelKey: nonce }, policy, { nonce, at: NOW })
  }

  test('are of chips that AMD vouches for; nothing but the nonce, which is not ours, stands against one', async () => {
    await expect(check(published.snp)).rejects.toMatchObject({ code: 'wrong-nonce' })
    const demanding = {
      ...policyOf(published.snp.report),
      minimumTcb: { bootloader: 4, tee: 0, snp: 8, microcode: 115 },
    }
    await expect(check(published.snp, demanding)).rejects.toMatchObject({ code: 'old-firmware' })
  })

  test('one is of a guest that may be debugged, and refused', async () => {
    await expect(check(published.snpDebug)).rejects.toMatchObject({ code: 'debug' })
  })

  test('a certificate of another chip is refused', async () => {
    const mixed = { ...published.snp, chain: published.snpDebug.chain }
    await expect(check(mixed)).rejects.toMatchObject({ code: 'bad-signature' })
  })
})
