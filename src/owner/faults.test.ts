/**
 * Faults by the state of a conversation in which they strike: each ends in the right answer or a typed error, in time,
 * and whatever is sent again, neither dealer nor server ever meets the masks of a row twice.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type NotedOwner,
  type NotingParties,
  openNoted,
  reuses,
  startNotingParties,
} from '../../test/support/protocol/parties.ts'
import { writeTinyBundle } from '../../test/support/session/tiny-bundle.ts'
import {
  type Fault,
  FaultInjector,
  type FaultKind,
  faultKinds,
  faultyDial,
} from '../../test/support/transport/fault.ts'
import type { Bundle } from '../model/files/bundle-node.ts'
import { floatModel } from '../model/graph/decoder-model.ts'
import { dialLink } from '../transport/dial.ts'
import type { Link } from '../transport/link.ts'
import { makeWebSocket } from '../transport/node/ws.ts'
import { webSocketDial } from '../transport/websocket.ts'

const times = { resumeMs: 8000, pingMs: 60, silenceMs: 600, handshakeMs: 1500 }
const HANG_MS = 300_000
const parts = [[1, 5, 9], [8], [40]]

const states = [
  'before hello',
  'after hello',
  'pass begun',
  'during prefill',
  'between passes',
  'while a prepared pass waits',
  'mid-pass at message 3',
  'mid-pass at message 9',
] as const
type State = (typeof states)[number]

type Strike =
  | { kind: FaultKind; direction: Fault['direction'] }
  | { kind: 'owner leaves' | 'dealer forgets the session' | 'server ends the link' }
const frames: Strike[] = faultKinds.flatMap((kind) => [
  { kind, direction: 'send' },
  { kind, direction: 'receive' },
])
const departures: Strike[] = [
  { kind: 'owner leaves' },
  { kind: 'dealer forgets the session' },
  { kind: 'server ends the link' },
]

let folder: string
let bundle: Bundle
let noting: NotingParties
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-'))
  bundle = await writeTinyBundle(folder)
  noting = await startNotingParties(folder, times)
})
afterAll(async () => {
  await noting.parties.close()
  rmSync(folder, { recursive: true })
})

/** Strikes the first frame after it was armed. */
class ArmedInjector extends FaultInjector {
  armed = false

  override apply(...args: Parameters<FaultInjector['apply']>): Uint8Array[] {
    return this.armed ? super.apply(...args) : [args[1]]
  }
}

interface Outcome {
  state: State
  strike: Strike
  result: 'right' | 'typed' | 'wrong' | 'untyped' | 'hang'
  struck: boolean
  detail: string
}

async function converse(state: State, strike: Strike): Promise<Outcome> {
  const fault: Fault =
    'direction' in strike ? { ...strike, at: 0 } : { kind: 'drop', direction: 'send', at: 0 }
  const injector = new ArmedInjector(fault)
  let owner: NotedOwner | undefined
  let left = false
  const outcome = (result: Outcome['result'], detail = ''): Outcome => {
    const struck = 'direction' in strike ? injector.struck : left
    return { state, strike, result, struck, detail }
  }
  /** Called in every state; strikes in the one that is tested. */
  const reach = async (now: State, at = owner): Promise<void> => {
    if (now !== state || left || injector.armed) return
    if ('direction' in strike) {
      injector.armed = true
      return
    }
    if (!at) return
    left = true
    if (strike.kind === 'owner leaves') await at.link.close()
    else if (strike.kind === 'dealer forgets the session') await at.agreement.close()
    else {
      // A second greeting on the same link is nothing that a server takes.
      await at.link.send(new TextEncoder().encode('{"t":"hello"}'), true).catch(() => undefined)
    }
  }
  const connect = async (): Promise<Link> => {
    await reach('before hello')
    const socket = webSocketDial(`${noting.parties.server.url}/api/link`, makeWebSocket())
    return dialLink('ws', faultyDial(socket, injector), times)
  }
  const run = async (): Promise<Outcome> => {
    owner = await openNoted(noting, bundle, connect, async (message, at) => {
      if (message.kind === 'begin' && message.pass === 1) await reach('pass begun', at)
      if (message.kind !== 'data') return
      if (message.pass === 1 && message.index === 5) await reach('during prefill', at)
      if (message.pass === 2 && message.index === 3) await reach('mid-pass at message 3', at)
      if (message.pass === 2 && message.index === 9) await reach('mid-pass at message 9', at)
    })
    await reach('after hello')
    const { session, ends } = owner
    const float = floatModel(bundle.manifest.config, bundle.tensors)
    let base = 0
    let worst = 0
    for (const part of parts) {
      const next = state !== 'between passes'
      const hidden = await session.run(base, ends.embed(part, base), { next })
      base += part.length
      const want = float.forward(part)
      for (const [i, v] of ends.logits(hidden).entries()) worst = Math.max(worst, Math.abs(v - want[i]))
      await reach('between passes')
      await reach('while a prepared pass waits')
    }
    return outcome(worst < 0.02 ? 'right' : 'wrong', String(worst))
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  const hang = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve(outcome('hang')), HANG_MS)
  })
  const done = run().catch((error: { name: string; code?: unknown; advice?: unknown; message: string }) => {
    const typed = typeof error.code === 'string' && typeof error.advice === 'string'
    return outcome(typed ? 'typed' : 'untyped', `${error.name} ${error.code} ${error.message}`)
  })
  const result = await Promise.race([done, hang])
  clearTimeout(timer)
  await Promise.allSettled([owner?.link.close(), owner?.agreement.close()])
  return result
}

test('every fault in every state ends well, and no mask is used twice', async () => {
  const matrix = states.flatMap((state) => [
    ...frames.map((strike) => ({ state, strike })),
    ...(state === 'before hello' ? [] : departures.map((strike) => ({ state, strike }))),
  ])
  const outcomes: Outcome[] = []
  const queue = [...matrix]
  const worker = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop())
      outcomes.push(await converse(next.state, next.strike))
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  const count = (result: Outcome['result']): number => outcomes.filter((o) => o.result === result).length
  console.info(
    `${states.length} states: ${matrix.length} cases, ${count('right')} right answers, ${count('typed')} typed errors`,
  )
  expect(outcomes.filter((o) => !o.struck)).toEqual([])
  expect(outcomes.filter((o) => o.result !== 'right' && o.result !== 'typed')).toEqual([])
  // Damage to frames is cured once a link is up; a party that has left for good is an error.
  const cured = outcomes.filter((o) => 'direction' in o.strike && o.state !== 'before hello')
  expect(cured.filter((o) => o.result !== 'right')).toEqual([])
  const gone = outcomes.filter((o) => !('direction' in o.strike))
  expect(gone.filter((o) => o.result !== 'typed')).toEqual([])
  expect(reuses(noting)).toEqual([])
  expect(noting.received.flat().length).toBeGreaterThan(5 * matrix.length)
})
