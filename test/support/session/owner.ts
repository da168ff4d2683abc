/** Owners that greet the counting server, for tests of sessions. */

import {
  type Agreement,
  greetServer,
  openSession,
} from '../../../src/protections/shared/agreement/agreement.ts'
import { connect, type LinkChoice } from '../../../src/transport/connect.ts'
import type { Link } from '../../../src/transport/link.ts'
import { nodeWebRtcDial } from '../../../src/transport/node/webrtc.ts'
import { makeWebSocket } from '../../../src/transport/node/ws.ts'
import { postSignal } from '../../../src/transport/webrtc.ts'
import type { Parties } from './parties.ts'

const links: Link[] = []

/** Closes every link that was opened here; call it after each test. */
export async function closeLinks(): Promise<void> {
  for (const link of links.splice(0)) await link.close()
}

export async function openLink(to: Parties, link?: LinkChoice): Promise<Link> {
  const webRtc = (url: string) => nodeWebRtcDial(postSignal(url), '127.0.0.1')
  const connected = await connect(to.server.url, { link, webSocket: makeWebSocket(), webRtc })
  links.push(connected.link)
  return connected.link
}

export interface Greeted {
  session: Agreement
  wire: Link
  greeting: { fSeed: Uint8Array }
}

export async function greet(to: Parties, link?: LinkChoice): Promise<Greeted> {
  const session = await openSession(to.request())
  const wire = await openLink(to, link)
  return { session, wire, greeting: await greetServer(wire, session) }
}

/** Asks for a pass of `n` chunks and reads them through the server. */
export async function countPass({ session, wire }: Greeted, number: number, n = 3): Promise<number[]> {
  await session.requestPass(number, Uint8Array.of(n, 10 * number))
  await wire.send(Uint8Array.of(number, n), true)
  return [...(await wire.receive())]
}
