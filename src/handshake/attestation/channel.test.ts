import { beforeAll, expect, test } from 'vitest'
import { utf8 } from '../encoding.ts'
import { type ChannelKey, EnclaveChannel, newChannelKey, OwnerChannel } from './channel.ts'

let key: ChannelKey
beforeAll(async () => {
  key = await newChannelKey()
})

const attested = (channelKey: Uint8Array) =>
  ({ platform: 'simulator', isAttested: false, channelKey, measurements: {}, machine: '' }) as const

async function both() {
  const owner = await OwnerChannel.to(attested(key.publicKey))
  return { owner, enclave: await EnclaveChannel.from(key, owner.opening) }
}

test('messages and replies arrive as they were, and none of them is seen on the way', async () => {
  const { owner, enclave } = await both()
  for (const text of ['hello', 'hello', '']) {
    const sealed = await owner.seal(utf8(text))
    expect(sealed.length).toBe(text.length + 16)
    expect(await enclave.open(sealed)).toEqual(utf8(text))
    expect(await owner.open(await enclave.seal(utf8(`re: ${text}`)))).toEqual(utf8(`re: ${text}`))
  }
  const [a, b] = [await owner.seal(utf8('same')), await owner.seal(utf8('same'))]
  expect(a).not.toEqual(b)
})

test('what is altered, repeated, left out or another channel’s is refused', async () => {
  const { owner, enclave } = await both()
  const [first, second] = [await owner.seal(utf8('1')), await owner.seal(utf8('2'))]
  await expect(enclave.open(second)).rejects.toMatchObject({ code: 'bad-signature' })
  const altered = first.slice()
  altered[0] ^= 1
  await expect(enclave.open(altered)).rejects.toMatchObject({ code: 'bad-signature' })
  await enclave.open(first)
  await expect(enclave.open(first)).rejects.toMatchObject({ code: 'bad-signature' })
  const reply = await enclave.seal(utf8('re'))
  const other = await both()
  await expect(other.owner.open(reply)).rejects.toMatchObject({ code: 'bad-signature' })
  await owner.open(reply)
  await expect(owner.open(reply)).rejects.toMatchObject({ code: 'bad-signature' })
})

test('what is no key is refused, at both ends', async () => {
  for (const bytes of [new Uint8Array(), utf8('dummy'), new Uint8Array(65).fill(4)]) {
    await expect(OwnerChannel.to(attested(bytes))).rejects.toMatchObject({ code: 'wrong-key' })
    await expect(EnclaveChannel.from(key, bytes)).rejects.toMatchObject({ code: 'malformed' })
  }
})
