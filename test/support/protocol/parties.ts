/** Three parties on loopback sockets that note which rows the dealer deals and which messages the server receives. */

import { createNodeKernels } from '../../../src/kernels/node/kernels.ts'
import { createCpuProductDevice } from '../../../src/kernels/wasm/device.ts'
import { Ends } from '../../../src/model/ends.ts'
import type { Bundle } from '../../../src/model/files/bundle-node.ts'
import { readCatalog } from '../../../src/model/files/catalog.ts'
import {
  type Agreement,
  greetServer,
  openSession,
} from '../../../src/protections/shared/agreement/agreement.ts'
import { PlanDealer } from '../../../src/protections/shared/dealer/engine.ts'
import { PlanServer } from '../../../src/protections/shared/server/engine.ts'
import { modelPlans } from '../../../src/protections/shared/session/model-plan.ts'
import { OwnerSession } from '../../../src/protections/shared/session/owner-session.ts'
import {
  decodePass,
  decodeRequest,
  type PassMessage,
} from '../../../src/protections/shared/session/pass-messages.ts'
import type { Shape } from '../../../src/protections/shared/shape.ts'
import { loadWeights } from '../../../src/protections/shared/weights/held.ts'
import type { Link } from '../../../src/transport/link.ts'
import type { StreamTimes } from '../../../src/transport/stream-link.ts'
import type { Parties } from '../session/parties.ts'
import { servedPlans, startEngineParties } from '../session/private-run.ts'

const kernels = createNodeKernels()

export interface NotingParties {
  readonly parties: Parties
  /** Rows that each session of the dealer was asked for, in order. */
  readonly dealt: Shape[][]
  /** Messages that each session of the server received, in order. */
  readonly received: PassMessage[][]
}

const unlimited = { sessions: 100_000, sessionsPerPeer: 100_000, opensPerMinute: 1_000_000 }

export async function startNotingParties(
  folder: string,
  times: Partial<StreamTimes>,
): Promise<NotingParties> {
  const dealt: Shape[][] = []
  const received: PassMessage[][] = []
  const engine = await PlanServer.load(kernels, await readCatalog(folder))
  const serve = engine.open.bind(engine)
  engine.open = (hash, link, material, peer) => {
    const log: PassMessage[] = []
    received.push(log)
    const receive = async (): Promise<Uint8Array> => {
      const message = await link.receive()
      log.push(decodePass(message.slice()))
      return message
    }
    return serve(hash, around(link, { receive }), material, peer)
  }
  const makeEngine = (): PlanDealer => {
    const dealer = new PlanDealer(kernels)
    const open = dealer.open.bind(dealer)
    dealer.open = (hash, seed) => {
      const log: Shape[] = []
      dealt.push(log)
      const passes = open(hash, seed)
      return {
        close: () => passes.close(),
        costOf: (request) => passes.costOf(request),
        deal: (request, sink, turn) => {
          log.push(decodeRequest(request))
          return passes.deal(request, sink, turn)
        },
      }
    }
    return dealer
  }
  const parties = await startEngineParties(folder, {
    dealer: { admission: unlimited, times, makeEngine },
    server: { maxSessions: 100_000, times, engine },
  })
  return { parties, dealt, received }
}

/** A link with some of its methods replaced. */
export const around = (link: Link, own: Partial<Link>): Link => ({
  kind: link.kind,
  traffic: link.traffic,
  send: (message, reply) => link.send(message, reply),
  receive: () => link.receive(),
  close: (reason, because) => link.close(reason, because),
  ...own,
})

export interface NotedOwner {
  readonly session: OwnerSession
  readonly agreement: Agreement
  readonly ends: Ends
  readonly link: Link
}

/** Opens a session for the first model; `onSend` is called before each message of a pass leaves. */
export async function openNoted(
  { parties }: NotingParties,
  { manifest, tensors }: Bundle,
  connect: () => Promise<Link>,
  onSend: (message: PassMessage, owner: NotedOwner) => Promise<void> | void = () => undefined,
): Promise<NotedOwner> {
  const [{ modelHash, planHash, profile }] = await servedPlans(parties.server.url)
  const agreement = await openSession(parties.request({ modelHash, planHash, profile }))
  let link: Link | undefined
  try {
    link = await connect()
    const { fSeed } = await greetServer(link, agreement)
    const real = link
    const send: Link['send'] = async (message, reply) => {
      await onSend(decodePass(message.slice()), owner)
      return real.send(message, reply)
    }
    const plans = modelPlans(manifest)
    const session = new OwnerSession({
      plans,
      kernels,
      device: createCpuProductDevice(kernels, { cacheBytes: 1 << 24 }),
      link: around(real, { send }),
      seed: agreement.seed,
      stationarySeed: fSeed,
      clear: loadWeights(kernels, plans.model.encode(tensors, ['public'])),
      requestPass: (pass, body) => agreement.requestPass(pass, body),
    })
    const owner = { session, agreement, ends: new Ends(manifest.config, tensors), link: real }
    return owner
  } catch (error) {
    await link?.close()
    await agreement.close()
    throw error
  }
}

/** Rows whose masks a session met twice, at the dealer or the server, and messages that came twice. */
export function reuses({ dealt, received }: NotingParties): string[] {
  const out: string[] = []
  const check = (who: string, shapes: Shape[]): void => {
    let next = 0
    for (const { serial, rows } of shapes) {
      if (serial < next) out.push(`${who}: row ${serial} again`)
      next = serial + rows
    }
  }
  for (const shapes of dealt) check('dealer', shapes)
  for (const messages of received) {
    check(
      'server',
      messages.flatMap((m) => (m.kind === 'begin' ? [m.shape] : [])),
    )
    const names = messages.map(
      (m) => `${m.kind} ${m.pass} ${m.kind === 'data' ? `${m.index} ${m.rowChunk}` : ''}`,
    )
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i) out.push(`server: ${name} again`)
    })
  }
  return out
}
