/** Byte for byte, what goes from owner to dealer: key agreement, pass requests and a farewell, and nothing of the input. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpRequest, httpRequests } from '../../test/secrecy/decode.ts'
import { tap } from '../../test/secrecy/tap.ts'
import { type NotingParties, openNoted, startNotingParties } from '../../test/support/protocol/parties.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import { decodeRequest } from '../protections/shared/session/pass-messages.ts'
import { dialLink } from '../transport/dial.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { webSocketDial } from '../transport/websocket.ts'

let folder: string
let bundle: Bundle
let noting: NotingParties

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyBundle(folder)
  noting = await startNotingParties(folder, {})
})
afterAll(async () => {
  await noting.parties.close()
  rmSync(folder, { recursive: true })
})

/** A conversation of two passes, the second prepared ahead; resolves with what the dealer was sent. */
async function converse(ids: number[]): Promise<HttpRequest[]> {
  const wire = await tap(noting.parties.dealer.url)
  const { parties } = noting
  const through = {
    ...noting,
    parties: {
      ...parties,
      request: (c: object) => parties.request({ ...c, dealerUrl: wire.url }),
    },
  }
  const socket = () => dialLink('ws', webSocketDial(`${parties.server.url}/api/link`, makeWebSocket()))
  const { session, ends, agreement, link } = await openNoted(through, bundle, socket)
  await session.run(0, ends.embed(ids.slice(0, 3), 0), { next: true })
  await session.run(3, ends.embed(ids.slice(3), 3))
  await agreement.close()
  await link.close()
  wire.close()
  return httpRequests(wire)
}

test('the dealer gets key agreement, pass requests and a farewell, the same for every input', async () => {
  const logs = [await converse([1, 5, 9, 8]), await converse([200, 3, 3, 77])]
  for (const log of logs) {
    const id = log[1].line.split('/')[2]
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(log.map((r) => r.line)).toEqual([
      'POST /session HTTP/1.1',
      `POST /session/${id}/pass HTTP/1.1`,
      `POST /session/${id}/pass HTTP/1.1`,
      `POST /session/${id}/close HTTP/1.1`,
    ])
    const [agreement, first, second, farewell] = log.map((r) => r.body)
    expect(Object.keys(JSON.parse(agreement.toString())).sort()).toEqual([
      'modelHash',
      'ownerEphemeral',
      'planHash',
      'profile',
      'protocolVersion',
      'serverIdentity',
    ])
    // A pass number, which rows of what length, and a code of authentication: not one byte more.
    const sealed = [first, second].map((b) => ({
      pass: b.readUInt32LE(0),
      shape: decodeRequest(new Uint8Array(b.subarray(4, b.length - 32))),
      bytes: b.length,
    }))
    expect(sealed).toEqual([
      { pass: 1, shape: { base: 0, rows: 3, serial: 0 }, bytes: 52 },
      { pass: 2, shape: { base: 3, rows: 1, serial: 3 }, bytes: 52 },
    ])
    expect(farewell.subarray(0, 9).toString('latin1')).toBe('\0\0\0\0close')
    expect(farewell.length).toBe(41)
    for (const { headers } of log)
      for (const name of headers) expect(['cookie', 'authorization', 'referer', 'origin']).not.toContain(name)
  }
  // Keys, names and codes of authentication differ from session to session; all else is the same.
  const [a, b] = logs.map((log) =>
    log.map((r) => ({
      headers: r.headers,
      size: r.body.length,
      plain: r.body.subarray(0, -32).toString('hex'),
    })),
  )
  a.forEach((request, i) => {
    if (i > 0) expect(request).toEqual(b[i])
  })
  const [ka, kb] = logs.map((log) => {
    const { ownerEphemeral, ...rest } = JSON.parse(log[0].body.toString()) as Record<string, unknown>
    return { ownerEphemeral, rest }
  })
  expect(ka.rest).toEqual(kb.rest)
  expect(ka.ownerEphemeral).not.toEqual(kb.ownerEphemeral)
})
