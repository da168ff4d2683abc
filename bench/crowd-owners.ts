/** A child process: owners with network addresses of their own, who deal ahead, look in, or arrive all at once. */
import { type Agreement, greetServer, openSession } from '../src/protections/shared/agreement/agreement.ts'
import type { PlannedModel } from '../src/protections/shared/agreement/parties.ts'
import { type ModelPlans, modelPlans } from '../src/protections/shared/session/model-plan.ts'
import { encodePass, encodeRequest } from '../src/protections/shared/session/pass-messages.ts'
import { connect } from '../src/transport/connect.ts'
import type { Link } from '../src/transport/link.ts'
import { makeWebSocket } from '../src/transport/node/ws.ts'
import { serve } from './child.ts'
import type { PartyAddress } from './party.ts'
import { manifestOf, type PublicFacts } from './shapes.ts'

export interface CrowdParties extends PublicFacts {
  server: PartyAddress
  dealer: PartyAddress
  served: PlannedModel
}

/** Those of whom the first has this address, the others the next ones. */
export interface Crowd {
  owners: number
  /** Number of the first one's address. */
  first: number
  /** Rows that each one's passes have. */
  rows: number
}

export interface Arrivals {
  /** Seconds until each one's first pass was asked for. */
  seconds: number[]
  /** Why the others have not had theirs. */
  failed: string[]
}

/** A prompt is given up after this long, and the next one asked for, as by somebody who keeps changing their mind. */
const PATIENCE_MS = 1000

interface Greeted {
  readonly agreement: Agreement
  readonly link: Link
}

let parties: CrowdParties
let plans: ModelPlans
let isOver = false
let dealing: Promise<void>[] = []
const arrived: Greeted[] = []

/** As a proxy would say it; the parties of this bench believe it. */
const addressed = (number: number) => ({ 'x-forwarded-for': `10.1.${number >> 8}.${number & 255}` })

function open(number: number): Promise<Agreement> {
  const { dealer, server, served } = parties
  return openSession({
    ...served,
    ...{ dealerUrl: dealer.url, dealerKey: dealer.key, serverKey: server.key },
    fetch: (input, init) => fetch(input, { ...init, headers: addressed(number) }),
  })
}

async function greet(number: number): Promise<Greeted> {
  const agreement = await open(number)
  const webSocket = makeWebSocket({ headers: addressed(number) })
  const { link } = await connect(parties.server.url, { webSocket, link: 'ws' })
  await greetServer(link, agreement)
  return { agreement, link }
}

/** Has prompts dealt, one after another, and uses none of them. */
async function deal({ agreement, link }: Greeted, rows: number): Promise<void> {
  for (let pass = 1; !isOver; pass++) {
    const shape = plans.shapeOf({ base: 0, rows, serial: (pass - 1) * rows })
    await link.send(encodePass({ kind: 'begin', pass, shape, payload: new Uint8Array() }), false)
    await agreement.requestPass(pass, encodeRequest(shape))
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
    await link.send(encodePass({ kind: 'abandon', pass }), false)
  }
  await link.close()
  await agreement.close()
}

/** Comes, and asks for one pass. */
async function arrive(number: number, rows: number): Promise<number> {
  const started = performance.now()
  const one = await greet(number)
  arrived.push(one)
  const shape = plans.shapeOf({ base: 0, rows, serial: 0 })
  await one.link.send(encodePass({ kind: 'begin', pass: 1, shape, payload: new Uint8Array() }), false)
  await one.agreement.requestPass(1, encodeRequest(shape))
  return (performance.now() - started) / 1000
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

serve({
  async meet(those: CrowdParties): Promise<void> {
    parties = those
    plans = modelPlans(await manifestOf(those))
  },
  /** Resolves when all of them are in, and have their first prompt dealt. */
  async deal({ owners, first, rows }: Crowd): Promise<void> {
    isOver = false
    const all = await Promise.all(Array.from({ length: owners }, (_, n) => greet(first + n)))
    dealing = all.map((each) => deal(each, rows))
  },
  async stopDealing(): Promise<void> {
    isOver = true
    await Promise.all(dealing)
  },
  /** Opens a session at the dealer, and ends it; resolves with the seconds until it was open. */
  async look(number: number): Promise<number> {
    const started = performance.now()
    const agreement = await open(number)
    const seconds = (performance.now() - started) / 1000
    await agreement.close()
    return seconds
  },
  async arrive({ owners, first, rows }: Crowd): Promise<Arrivals> {
    const all = await Promise.allSettled(Array.from({ length: owners }, (_, n) => arrive(first + n, rows)))
    const failed = all.flatMap((one) => (one.status === 'rejected' ? [reasonOf(one.reason)] : []))
    return { seconds: all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])), failed }
  },
  async leave(): Promise<void> {
    for (const { agreement, link } of arrived.splice(0)) {
      await link.close()
      await agreement.close()
    }
  },
})
