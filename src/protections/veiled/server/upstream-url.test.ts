import { expect, test } from 'vitest'
import { upstreamUrl } from './upstream-url.ts'

const [here, inside, secure] = ['http://127.0.0.1:8000', 'http://10.0.0.2:8000', 'https://engine.example']

test.each([
  { hasKey: false, isAttested: false, allowed: [here, inside, secure] },
  { hasKey: true, isAttested: false, allowed: [here, secure] },
  { hasKey: false, isAttested: true, allowed: [here] },
  { hasKey: true, isAttested: true, allowed: [here] },
])('an engine with a key: $hasKey, behind evidence: $isAttested', ({ allowed, ...use }) => {
  for (const url of [here, inside, secure, 'ftp://127.0.0.1', 'engine'])
    if (allowed.includes(url)) expect(upstreamUrl(url, use)).toBe(url)
    else expect(() => upstreamUrl(url, use)).toThrow(/The (address of the )?engine/i)
})
