import { expect, test } from 'vitest'
import type { ConnectRequest } from '../protection.ts'
import { connectShared } from './connect.ts'

/** As far as the dealer's address is looked at, which is before anything is sent. */
const request = (url: string, base?: string) =>
  ({ settings: { dealer: { url, key: 'k' } }, base, model: { manifest: {} } }) as unknown as ConnectRequest

test.each<[string, string?]>([
  ['ws://dealer.example'],
  ['http://dealer.example'],
  ['/dealer', 'http://chat.example/'],
  ['ftp://dealer.example'],
  ['nonsense'],
])('page and terminal send nothing to a dealer at %s', async (url, base) => {
  const answer = connectShared(request(url, base))
  await expect(answer).rejects.toMatchObject({ name: 'AddressError', code: 'page-config' })
})

test('a dealer that can be reached in private is none of these', async () => {
  for (const url of ['https://dealer.example', 'wss://dealer.example', 'http://localhost:8422'])
    await expect(connectShared(request(url))).rejects.not.toMatchObject({ name: 'AddressError' })
})
