import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from './make-certificate.ts'
import { isFromPage, Visitors } from './visitors.ts'

const page = 'https://chat.example'
const visitors = new Visitors({ origins: [page], names: ['Model.example'] })
const open = new Visitors({ origins: ['*'], names: [] })

describe('the name that a visitor used', () => {
  test.each([
    '127.0.0.1:8421',
    '192.168.0.7',
    '[::1]:8421',
    '[2001:db8::1]',
    'localhost',
    'LOCALHOST:80',
    'app.localhost:8421',
    'model.example',
    'MODEL.example.:443',
  ])('%s is ours', (host) => expect(visitors.isOurName({ host })).toBe(true))

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:8421',
    'model.example.evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'notlocalhost',
    'user@127.0.0.1',
    '127.0.0.1/evil.example',
    'evil.example#127.0.0.1',
    '127.0.0.1, evil.example',
    '127.0.0.1\\evil.example',
    '[::1',
    ':8421',
  ])('%s is not', (host) => expect(visitors.isOurName({ host })).toBe(false))

  test('is ours where the certificate says so', async () => {
    const tls = await makeCertificate(['model.example', '*.wide.example'])
    const secure = new Visitors({ origins: [], names: [], tls })
    expect(secure.isOurName({ host: 'model.example:8421' })).toBe(true)
    expect(secure.isOurName({ host: 'any.wide.example' })).toBe(true)
    expect(secure.isOurName({ host: 'evil.example' })).toBe(false)
  })

  test('may be anything at all, and is answered', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (host) => {
        expect(typeof visitors.isOurName({ host })).toBe('boolean')
        expect(typeof visitors.isOurPage({ host, origin: host })).toBe('boolean')
      }),
    )
  })
})

describe('the page that a request comes from', () => {
  const host = 'model.example'
  test.each([
    ['no page at all', {}],
    ['a configured one, on another site', { origin: page, 'sec-fetch-site': 'cross-site' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['our own origin', { origin: 'https://model.example' }],
    ['our own origin behind a proxy', { origin: 'https://public.example', 'sec-fetch-site': 'same-origin' }],
  ])('%s may', (_, headers) => expect(visitors.isOurPage({ host, ...headers })).toBe(true))

  test.each([
    ['a foreign one', { origin: 'https://evil.example' }],
    [
      'a foreign one of the same site',
      { origin: 'https://evil.chat.example', 'sec-fetch-site': 'same-site' },
    ],
    ['a foreign one that hides its origin', { 'sec-fetch-site': 'cross-site' }],
    ['one without an origin of its own', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a configured name with another scheme', { origin: 'http://chat.example' }],
    ['a configured name with another port', { origin: 'https://chat.example:444' }],
    ['no origin that there is', { origin: 'evil' }],
    ['another port of ours', { origin: 'https://model.example:8420' }],
  ])('%s may not', (_, headers) => expect(visitors.isOurPage({ host, ...headers })).toBe(false))

  test('may be any where all are allowed', () => {
    expect(open.isOurPage({ host, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).toBe(
      true,
    )
  })

  test('is known from either header', () => {
    expect(isFromPage({})).toBe(false)
    expect(isFromPage({ origin: page })).toBe(true)
    expect(isFromPage({ 'sec-fetch-site': 'none' })).toBe(true)
  })
})
