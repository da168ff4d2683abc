import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../handshake/encoding.ts'
import { newIdentity } from '../../../handshake/node/key-file.ts'
import { seal, sealedBytes, unseal } from './seal.ts'

const context = utf8('for a test')
const secret = Uint8Array.from({ length: 64 }, (_, i) => i)

describe('a sealed seed', () => {
  it('opens for its recipient alone, in its context alone', async () => {
    const [own, other] = [newIdentity(), newIdentity()]
    const sealed = await seal(own.publicKey, secret, context)
    expect(sealed).toHaveLength(sealedBytes(secret.length))
    expect(await unseal(own, sealed, context)).toEqual(secret)
    await expect(unseal(other, sealed, context)).rejects.toMatchObject({ code: 'bad-seal' })
    await expect(unseal(own, sealed, utf8('for another'))).rejects.toMatchObject({ code: 'bad-seal' })
  })

  it('is refused when any byte is another', async () => {
    const own = newIdentity()
    const sealed = await seal(own.publicKey, secret, context)
    for (const at of [0, 31, 32, 64, sealed.length - 1]) {
      const altered = sealed.slice()
      altered[at] ^= 1
      await expect(unseal(own, altered, context)).rejects.toMatchObject({ code: 'bad-seal' })
    }
    for (const length of [0, 10, sealed.length - 1])
      await expect(unseal(own, sealed.slice(0, length), context)).rejects.toMatchObject({ code: 'bad-seal' })
    await expect(unseal(own, new Uint8Array(sealed.length), context)).rejects.toMatchObject({
      code: 'bad-seal',
    })
  })

  it('is another one every time, and shows nothing of what is in it', async () => {
    const own = newIdentity()
    const [a, b] = [await seal(own.publicKey, secret, context), await seal(own.publicKey, secret, context)]
    expect(a).not.toEqual(b)
    expect(Buffer.from(a).includes(Buffer.from(secret.subarray(0, 8)))).toBe(false)
  })

  it('is not made for a key that is none', async () => {
    const bad = new Uint8Array(32).fill(255)
    await expect(seal(bad, secret, context)).rejects.toMatchObject({ code: 'malformed' })
    await expect(seal(new Uint8Array(31), secret, context)).rejects.toMatchObject({ code: 'malformed' })
  })
})
