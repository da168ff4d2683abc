/** Real processes killed in the middle of a conversation: party x state, each ends in the right answer or a typed error. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { largestError, openOwner, type Reachable } from '../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import { toBase64Url } from '../handshake/encoding.ts'
import { loadIdentity } from '../handshake/node/key-file.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import type { SessionRequest } from '../protections/shared/agreement/agreement.ts'
import type { Carrier, Dial } from '../transport/carrier.ts'
import { dialLink } from '../transport/dial.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { webSocketDial } from '../transport/websocket.ts'

const program = fileURLToPath(new URL('../../bin/sotto.js', import.meta.url))
const times = { resumeMs: 6000, pingMs: 200, silenceMs: 1000 }
/** The owner has sent so many frames when a party dies: before the greeting, after it, in the prefill, in a later pass. */
const states = [0, 2, 7, 14]

let folder: string
let bundle: Bundle
const running: Partial<Record<Party, { child: ChildProcess; port: number }>> = {}
type Party = 'dealer' | 'server'

const keyFile = (party: Party): string => join(folder, `${party}.pem`)
const keyOf = (party: Party): string => toBase64Url(loadIdentity(keyFile(party)).publicKey)
const urlOf = (party: Party): string => `http://127.0.0.1:${running[party]!.port}`

/** Starts a party where it was before; resolves when it says that it is ready. */
async function start(party: Party): Promise<void> {
  const where = [
    '--port',
    String(running[party]?.port ?? 0),
    '--key',
    keyFile(party),
    '--json',
    '--log-level',
    'silent',
  ]
  const args =
    party === 'dealer'
      ? ['deal', '--allow', keyOf('server')]
      : [
          'serve',
          '--models',
          join(folder, 'models'),
          '--dealer',
          urlOf('dealer'),
          '--dealer-key',
          keyOf('dealer'),
        ]
  const child = spawn(process.execPath, [program, ...args, ...where], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (data) => resolve(String(data)))
    child.once('exit', (code) => reject(new Error(`The ${party} ended with ${code}.`)))
  })
  running[party] = { child, port: Number(new URL((JSON.parse(line) as { url: string }).url).port) }
}

async function kill(party: Party): Promise<void> {
  const { child } = running[party]!
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyBundle(join(folder, 'models'))
  await start('dealer')
  await start('server')
})
afterAll(async () => {
  await Promise.all([kill('dealer'), kill('server')])
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
  const socket = webSocketDial(`${urlOf('server')}/api/link`, makeWebSocket())
  const request = (changes?: Partial<SessionRequest>): SessionRequest => ({
    dealerUrl: urlOf('dealer'),
    dealerKey: keyOf('dealer'),
    serverKey: keyOf('server'),
    modelHash: '',
    planHash: '',
    profile: '',
    ...changes,
  })
  const reachable: Reachable = { server: { url: urlOf('server') }, request }
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
      restarted = kill(party).then(() => start(party))
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
