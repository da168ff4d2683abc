import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AddressError, isLoopback, partyUrl } from './party-url.ts'

test.each([
  ['https://dealer.example', 'https://dealer.example'],
  ['https://dealer.example:8422/', 'https://dealer.example:8422'],
  ['wss://dealer.example/', 'https://dealer.example'],
  ['http://localhost:8422', 'http://localhost:8422'],
  ['ws://127.0.0.1:8422', 'http://127.0.0.1:8422'],
  ['http://[::1]:8422', 'http://[::1]:8422'],
  ['http://127.8.8.8', 'http://127.8.8.8'],
  ['HTTPS://Dealer.Example', 'https://dealer.example'],
])('%s is taken', (text, url) => expect(partyUrl(text, 'the dealer')).toBe(url))

test.each([
  'http://dealer.example',
  'ws://dealer.example',
  'WS://dealer.example',
  ' ws://dealer.example',
  'ws:dealer.example',
  'http://127.0.0.1.example',
  'http://localhost.example',
  'http://192.168.0.7:8422',
  'ftp://dealer.example',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,x',
  'dealer.example:8422',
  'constructor://x',
  '',
])('%s is refused', (text) => expect(() => partyUrl(text, 'the dealer')).toThrow(AddressError))

test('a relative address is as safe as the page that it is relative to', () => {
  expect(partyUrl('/dealer', 'it', { base: 'https://chat.example/' })).toBe('https://chat.example/dealer')
  expect(() => partyUrl('/dealer', 'it', { base: 'http://chat.example/' })).toThrow(AddressError)
})

test('an open line is taken where somebody insists, other schemes are not', () => {
  expect(partyUrl('ws://dealer', 'it', { isOpenAllowed: true })).toBe('http://dealer')
  expect(() => partyUrl('ftp://dealer', 'it', { isOpenAllowed: true })).toThrow(AddressError)
})

test('whatever is typed, only HTTPS leaves this computer', () => {
  const scheme = fc.constantFrom('http', 'https', 'ws', 'wss', 'ftp', '', 'Ws', 'hTTp')
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((ip) => `[${ip}]`),
    fc.constant('localhost'),
  )
  fc.assert(
    fc.property(scheme, host, fc.string({ maxLength: 5 }), (first, name, rest) => {
      let url: URL
      try {
        url = new URL(partyUrl(`${first}://${name}${rest}`, 'it'))
      } catch (error) {
        expect(error).toBeInstanceOf(AddressError)
        return
      }
      expect(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))).toBe(true)
    }),
  )
})
