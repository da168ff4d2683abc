/** Real processes killed in the middle of a conversation: party x state, each ends in the right answer or a typed error. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PartyProcesses } from '../../test/support/session/party-processes.ts'
import { largestError, openOwner, type Reachable } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import type { SessionRequest } from '../protections/shared/agreement/agreement.ts'
import type { Carrier, Dial } from '../transport/carrier.ts'
import { dialLink } from '../transport/dial.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { webSocketDial } from '../transport/websocket.ts'

const times = { resumeMs: 6000, pingMs: 200, silenceMs: 1000 }
/** The owner has sent so many frames when a party dies: before the greeting, after it, in the prefill, in a later pass. */
const states = [0, 2, 7, 14]

let folder: string
let bundle: Bundle
let parties: PartyProcesses

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyBundle(join(folder, 'models'))
  parties = new PartyProcesses(folder)
  await parties.start('dealer')
  await parties.start('server')
})
afterAll(async () => {
  await Promise.all([parties.end('dealer'), parties.end('server')])
  rmSync(folder, { recursive: true })
})

/** Calls `strike` once, when the owner is about to send frame `at`. */
function striking(dial: Dial, at: number, strike: () => void): Dial {
  let count = 0
  return async () => {
    const inner = await dial()
    const send = (frame: Uint8Array) => {
      if (count++ === at) strike()
      inner.send(frame)
    }
    const wrapped: Carrier = {
      listen: (h) => inner.listen(h),
      close: () => inner.close(),
      drained: (low) => inner.drained(low),
      buffered: 0,
      send,
    }
    return wrapped
  }
}

async function converse(at: number, strike: () => void): Promise<'right' | string> {
  const socket = webSocketDial(`${parties.urlOf('server')}/api/link`, makeWebSocket())
  const request = (changes?: Partial<SessionRequest>): SessionRequest => ({
    dealerUrl: parties.urlOf('dealer'),
    dealerKey: parties.keyOf('dealer'),
    serverKey: parties.keyOf('server'),
    modelHash: '',
    planHash: '',
    profile: '',
    ...changes,
  })
  const reachable: Reachable = { server: { url: parties.urlOf('server') }, request }
  try {
    const owner = await openOwner(reachable, bundle, () =>
      dialLink('ws', striking(socket, at, strike), times),
    )
    try {
      return (await largestError(owner, bundle, [[1, 5, 9], [8]])) < 0.02 ? 'right' : 'wrong'
    } finally {
      await owner.close()
    }
  } catch (error) {
    return String((error as { code?: string }).code ?? `untyped: ${error}`)
  }
}

describe.each(['dealer', 'server'] as const)('%s killed and started again', (party) => {
  test.each(states)('when the owner has sent %i frames', async (at) => {
    let restarted: Promise<void> | undefined
    const outcome = await converse(at, () => {
      restarted = parties.end(party).then(() => parties.start(party))
    })
    expect(restarted).toBeDefined()
    expect(outcome).toMatch(
      /^(right|closed|lost|unknown-link|expired|dealer-unreachable|dealer-lost|server-absent)$/,
    )
    await restarted
    // Afterwards everything works again, as soon as server and dealer have found each other.
    const again = async (): Promise<string> => converse(-1, () => undefined)
    let last = await again()
    for (const end = Date.now() + 300_000; last !== 'right' && Date.now() < end; last = await again()) {
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(last).toBe('right')
  })
})
