import { expect, test } from 'vitest'
import { makeLog } from '../../src/cli/common.ts'
import { describe } from '../../src/handshake/describe.ts'
import { SessionError } from '../../src/handshake/errors.ts'
import { LinkError } from '../../src/transport/errors.ts'
import { closePayload, readClose } from '../../src/transport/reliable.ts'

const words = 'my secret\u001b]0;x\u0007\u009b31m\u202e diary'

test('our own errors say what happened', () => {
  expect(describe(new SessionError('expired', 'It is over.'))).toBe('expired: It is over.')
  expect(describe(new LinkError('lost', 'No answer.'))).toBe('lost: No answer.')
})

test('nothing that another party worded is in a log', () => {
  for (const error of [
    SessionError.parse({ code: 'expired', message: words }),
    SessionError.parse({ code: 'unheard of', message: words }),
    readClose(closePayload(new LinkError('closed', words))),
    readClose(closePayload(new LinkError('overflow', words))),
    new LinkError('closed', SessionError.parse({ message: words }).message),
    new Error(words),
  ])
    expect(describe(error)).not.toContain('secret')
})

test('errors of others are plain, and no longer than a line', () => {
  const { message } = SessionError.parse({ code: 'expired', message: words.repeat(100) })
  expect(message).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(message.length).toBeLessThanOrEqual(300)
  expect(readClose(closePayload(new LinkError('lost', words))).message).toBe('my secret]0;x31m diary')
  for (const odd of [undefined, null, 7, {}, [], { message: {} }, { code: '__proto__', message: [] }])
    expect(SessionError.parse(odd).message).toContain('without a reason')
})

test('whatever reaches a log is plain, and stays JSON', () => {
  const lines: string[] = []
  const log = makeLog('info', { write: (line) => void lines.push(line) })
  log.warn({ name: words }, words)
  expect(lines.join('')).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e]/u)
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0])).toMatchObject({ name: words, msg: words })
})
