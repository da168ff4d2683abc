/** Generated fault matrices: whatever happens to a frame, a session gives the right answer or a typed error, in time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tinyParallel } from '../../../../test/support/protocol/lowbit.ts'
import { writeLowbitBundle } from '../../../../test/support/session/lowbit-bundle.ts'
import type { Parties } from '../../../../test/support/session/parties.ts'
import {
  type Answer,
  answerOf,
  openOwner,
  startEngineParties,
} from '../../../../test/support/session/private-run.ts'
import { writeTinyBundle } from '../../../../test/support/session/tiny-bundle.ts'
import {
  type Fault,
  FaultInjector,
  faultMatrix,
  faultyDial,
  faultyFetch,
} from '../../../../test/support/transport/fault.ts'
import { createNodeKernels } from '../../../kernels/node/kernels.ts'
import type { Bundle } from '../../../model/files/bundle-node.ts'
import { readCatalog } from '../../../model/files/catalog.ts'
import { dialLink } from '../../../transport/dial.ts'
import { fetchLink } from '../../../transport/fetch.ts'
import type { Link } from '../../../transport/link.ts'
import { makeWebSocket } from '../../../transport/node/ws.ts'
import { webSocketDial } from '../../../transport/websocket.ts'
import { PlanServer } from '../server/engine.ts'

// Damage is noticed soon, but a busy machine's slowness is not taken for it.
const times = { resumeMs: 20_000, pingMs: 60, silenceMs: 1500, handshakeMs: 1500 }
const parts = [[1, 5, 9], [8]]
/** Of the 18 frames of each direction: handshake, greeting, prefill, a cached step. */
const socketFrames = [0, 1, 2, 3, 5, 8, 11, 14, 17]
const postFrames = [0, 1, 2, 3, 5, 8]

/**
 * A model of each profile, whose passes have as many hops, and whether an answer is right as far as it can tell. Links know
 * nothing of profiles: with the second one, every third frame does.
 */
describe.each<[string, (folder: string) => Promise<Bundle>, (got: Answer) => boolean, every: number]>([
  ['of fixed point', writeTinyBundle, ({ largestError }) => largestError < 0.02, 1],
  [
    'of few bits',
    (folder) => writeLowbitBundle(folder, 'chat', { ...tinyParallel, layers: 3 }),
    ({ likeness }) => likeness > 0.6,
    3,
  ],
])('with a model %s', (profile, write, isRight, every) => {
  const matrixAt = (frames: number[]): Fault[] => {
    const struck = frames.filter((_, i) => i % every === 0)
    return faultMatrix(18).filter(({ at }) => struck.includes(at))
  }
  let folder: string
  let bundle: Bundle
  let parties: Parties
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-'))
    bundle = await write(folder)
    parties = await start()
  })
  afterAll(async () => {
    await parties.close()
    rmSync(folder, { recursive: true })
  })

  const admission = { sessions: 100_000, sessionsPerPeer: 100_000, opensPerMinute: 1_000_000 }
  const start = (options: Parameters<typeof startEngineParties>[1] = {}) =>
    startEngineParties(folder, {
      dealer: { admission, times, ...options.dealer },
      server: { maxSessions: 100_000, times, ...options.server },
    })

  const socket = () => webSocketDial(`${parties.server.url}/api/link`, makeWebSocket())

  interface Outcome {
    fault: Fault
    struck: boolean
    result: 'right' | 'wrong' | 'typed' | 'untyped' | 'hang'
    detail: string
  }

  async function converse(
    fault: Fault,
    connect: (injector: FaultInjector) => Promise<Link>,
    dealerToo = false,
  ): Promise<Outcome> {
    const injector = new FaultInjector(fault)
    const outcome = (result: Outcome['result'], detail = ''): Outcome => ({
      fault,
      struck: injector.struck,
      result,
      detail,
    })
    const run = async (): Promise<Outcome> => {
      try {
        const fetch = dealerToo ? faultyFetch(globalThis.fetch, injector) : undefined
        const owner = await openOwner(parties, bundle, () => connect(injector), fetch)
        try {
          const answer = await answerOf(owner, bundle, parts)
          return outcome(isRight(answer) ? 'right' : 'wrong', JSON.stringify(answer))
        } finally {
          await owner.close()
        }
      } catch (error) {
        const { name, code, message } = error as { name: string; code?: string; message: string }
        return outcome(typeof code === 'string' ? 'typed' : 'untyped', `${name} ${code} ${message}`)
      }
    }
    let timer: ReturnType<typeof setTimeout> | undefined
    const hang = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => resolve(outcome('hang')), 300_000)
    })
    return Promise.race([run(), hang]).finally(() => clearTimeout(timer))
  }

  /** Runs the matrix a few conversations at a time, prints its size and what came of it. */
  async function walk(
    name: string,
    matrix: Fault[],
    run: (fault: Fault) => Promise<Outcome>,
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    const queue = [...matrix]
    const worker = async () => {
      for (let fault = queue.pop(); fault; fault = queue.pop()) outcomes.push(await run(fault))
    }
    await Promise.all(Array.from({ length: 4 }, worker))
    const count = (result: Outcome['result']) => outcomes.filter((o) => o.result === result).length
    console.info(
      `${profile}, ${name}: ${matrix.length} faults, ${count('right')} right answers, ${count('typed')} typed errors`,
    )
    expect(outcomes.filter((o) => o.result !== 'right' && o.result !== 'typed')).toEqual([])
    expect(outcomes.filter((o) => !o.struck).map((o) => o.fault)).toEqual([])
    return outcomes
  }

  test('frames between owner and server, over a socket that resumes', async () => {
    const outcomes = await walk('owner-server ws', matrixAt(socketFrames), (fault) =>
      converse(fault, (injector) => dialLink('ws', faultyDial(socket(), injector), times)),
    )
    // All but the very first handshake, which has nothing to resume, are cured.
    expect(outcomes.filter((o) => o.result === 'typed' && o.fault.at > 0)).toEqual([])
  })

  test('bodies between owner and server, over fetch', async () => {
    const outcomes = await walk('owner-server fetch', matrixAt(postFrames), (fault) =>
      converse(fault, (injector) =>
        fetchLink(`${parties.server.url}/api/link`, {
          fetch: faultyFetch(globalThis.fetch, injector),
          resumeMs: 20_000,
        }),
      ),
    )
    expect(outcomes.filter((o) => o.result === 'typed' && o.fault.at > 0)).toEqual([])
  })

  test('requests between owner and dealer', async () => {
    // Key agreement, then one request for each pass.
    const plain = () => dialLink('ws', socket(), times)
    await walk('owner-dealer', faultMatrix(3), (fault) => converse(fault, plain, true))
  })

  test('frames between server and dealer, over a socket that resumes', async () => {
    // The first frames register the model; later ones announce a session and stream its material. How many there are
    // varies a little, with the acknowledgements that find a frame to travel on.
    const matrix = matrixAt([0, 1, 3, 5, 7, 8])
    const engine = await PlanServer.load(createNodeKernels(), await readCatalog(folder))
    const outcomes: string[] = []
    const shared = parties
    for (const fault of matrix) {
      const injector = new FaultInjector(fault)
      parties = await start({ server: { engine, wrapDial: (dial) => faultyDial(dial, injector) } })
      try {
        const { result, detail } = await converse({ ...fault, at: -1 }, () => dialLink('ws', socket(), times))
        if (!injector.struck || result !== 'right')
          outcomes.push(`${JSON.stringify(fault)} ${injector.struck} ${result} ${detail}`)
      } finally {
        await parties.close()
      }
    }
    parties = shared
    console.info(`${profile}, server-dealer: ${matrix.length} faults, all right`)
    expect(outcomes).toEqual([])
  })
})
