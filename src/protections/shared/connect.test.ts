import { expect, test } from 'vitest'
import type { ConnectRequest } from '../protection.ts'
import { connectShared } from './connect.ts'

/** As far as the dealer's address is looked at, which is before anything is sent. */
const request = (url: string, base?: string) =>
  ({
    settings: { dealer: { url, key: 'k' } },
    base,
    download: async () => ({ manifest: {} }),
  }) as unknown as ConnectRequest

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

test.each([-0.1, 0.3, 1, Number.NaN, '0.1'])('audits with a probability of %s are none', async (audit) => {
  const settings = { dealer: { url: 'https://dealer.example', key: 'k' }, audit }
  const answer = connectShared({
    settings,
    download: async () => ({ manifest: {} }),
  } as unknown as ConnectRequest)
  await expect(answer).rejects.toMatchObject({
    code: 'page-config',
    message: expect.stringContaining('0.25'),
  })
})
