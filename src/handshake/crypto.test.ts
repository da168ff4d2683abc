import { createPrivateKey, sign } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hkdf, newEphemeral, newMac, randomBytes, verify } from './crypto.ts'
import { equalBytes, fromBase64Url, fromHex, joinFields, toBase64Url, toHex, utf8 } from './encoding.ts'
import { newIdentity } from './node/key-file.ts'

afterEach(() => vi.restoreAllMocks())

describe('X25519', () => {
  test('is used where WebCrypto has none, and refuses points of small order', async () => {
    const native = await newEphemeral()
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'))
    const fallback = await newEphemeral()
    expect(await fallback.agree(native.publicKey)).toEqual(await native.agree(fallback.publicKey))
    for (const party of [native, fallback]) {
      await expect(party.agree(new Uint8Array(32))).rejects.toMatchObject({ code: 'malformed' })
      await expect(party.agree(Uint8Array.of(1, ...new Uint8Array(31)))).rejects.toMatchObject({
        code: 'malformed',
      })
    }
    await expect(fallback.agree(new Uint8Array(31))).rejects.toMatchObject({ code: 'malformed' })
  })
})

describe('Ed25519', () => {
  // RFC 8032, section 7.1, tests 1 and 3.
  const vectors = [
    [
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ].map((vector) => vector.map(fromHex))

  test.each([
    ['WebCrypto', false],
    ['the fallback', true],
  ])('%s: vectors, and every byte altered', async (_, isMissing) => {
    if (isMissing)
      vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'))
    const check = verify
    for (const [key, message, signature] of vectors) {
      expect(await check(key, signature, message)).toBe(true)
      expect(await check(key, signature, utf8('another message'))).toBe(false)
      for (let at = 0; at < 64; at += 9) {
        const bad = signature.slice()
        bad[at] ^= 4
        expect(await check(key, bad, message)).toBe(false)
      }
    }
  })

  test('a signature whose scalar is not reduced is refused', async () => {
    const [key, message, signature] = vectors[0]
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = signature.subarray(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + order
    const bad = signature.slice()
    for (let i = 0; i < 32; i++) bad[32 + i] = Number((s >> BigInt(8 * i)) & 255n)
    expect(await verify(key, bad, message)).toBe(false)
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'))
    expect(await verify(key, bad, message)).toBe(false)
  })

  test('identities sign what both verify; the fallback is used where WebCrypto has none', async () => {
    const identity = newIdentity()
    const message = randomBytes(100)
    const signature = await identity.sign(message)
    expect(await verify(identity.publicKey, signature, message)).toBe(true)
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'))
    expect(await verify(identity.publicKey, signature, message)).toBe(true)
    expect(await verify(newIdentity().publicKey, signature, message)).toBe(false)
  })

  test('Node signs the RFC’s first vector alike', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    const key = Buffer.concat([fromHex('302e020100300506032b657004220420'), seed])
    const signature = sign(null, Buffer.alloc(0), createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
    expect(new Uint8Array(signature)).toEqual(vectors[0][2])
  })
})

test('HKDF: RFC 5869, test case 3', async () => {
  const okm = await hkdf(new Uint8Array(22).fill(11), new Uint8Array(0), '', 42)
  expect(toHex(okm)).toBe(
    '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  )
})

test('MACs tell altered messages', async () => {
  const mac = await newMac(randomBytes(32))
  const tag = await mac.tag(utf8('a'))
  expect(await mac.check(utf8('a'), tag)).toBe(true)
  expect(await mac.check(utf8('b'), tag)).toBe(false)
  expect(await mac.check(utf8('a'), tag.slice(1))).toBe(false)
})

describe('encodings', () => {
  test('base64url equals what Node writes, at every length', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = randomBytes(length)
      const text = Buffer.from(bytes).toString('base64url')
      expect(toBase64Url(bytes)).toBe(text)
      expect(fromBase64Url(text, length)).toEqual(bytes)
      expect(() => fromBase64Url(text, length + 1)).toThrow(RangeError)
    }
  })

  test('base64url has one spelling for each value', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // 43 characters carry 258 bits, 86 carry 516: the last one of each has 2 or 4 bits to spare.
    for (const [length, canonical] of [
      [32, 16],
      [64, 4],
    ]) {
      const head = toBase64Url(randomBytes(length)).slice(0, -1)
      const read = [...alphabet].flatMap((last) => {
        try {
          return [toBase64Url(fromBase64Url(head + last, length))]
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          return []
        }
      })
      expect(read).toHaveLength(canonical)
      expect(read.every((text) => text.startsWith(head))).toBe(true)
    }
    const text = toBase64Url(randomBytes(32))
    const others = [
      `${text}=`,
      ` ${text}`,
      `${text}\n`,
      `${text.slice(0, 20)} ${text.slice(20)}`,
      '',
      'AB',
      'A=',
    ]
    for (const bad of [...others, `+/${text.slice(2)}`, text.slice(1), `${text}A`])
      expect(() => fromBase64Url(bad, 32), JSON.stringify(bad)).toThrow(RangeError)
  })

  test('hexadecimal is lower-case and of whole bytes', () => {
    const bytes = randomBytes(33)
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
    expect(fromHex(toHex(bytes))).toEqual(bytes)
    expect(fromHex('')).toEqual(new Uint8Array(0))
    for (const bad of ['a', 'AB', 'g0', '0x', 'ab cd', 'ab\n']) expect(() => fromHex(bad)).toThrow(RangeError)
  })

  test('fields cannot be shifted into each other', () => {
    expect(toHex(joinFields(['ab', Uint8Array.of(255)]))).toBe('02000000616201000000ff')
    expect(joinFields(['ab', 'c'])).not.toEqual(joinFields(['a', 'bc']))
    expect(joinFields(['', 'a'])).not.toEqual(joinFields(['a', '']))
  })
  test('comparison', () => {
    expect(equalBytes(utf8('abc'), utf8('abc'))).toBe(true)
    expect(equalBytes(utf8('abc'), utf8('abd'))).toBe(false)
    expect(equalBytes(utf8('abc'), utf8('ab'))).toBe(false)
  })
})
