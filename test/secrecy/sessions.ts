/** Puts what three wires carried back together: the sessions, and what server and dealer told each other. */

import { decodeMessage } from '../../src/protections/shared/agreement/material-socket.ts'
import { decodePass, decodeRequest } from '../../src/protections/shared/session/pass-messages.ts'
import type { Shape } from '../../src/protections/shared/shape.ts'
import type { Seen } from '../support/protocol/session.ts'
import { type HttpRequest, httpRequests, isUpgrade, linkMessages, socketMessages } from './decode.ts'
import type { Wires } from './processes.ts'
import type { Tap } from './tap.ts'

export interface WireSession {
  readonly id: string
  /** The JSON that each side began with. */
  readonly greetings: { owner: Record<string, unknown>; server: Record<string, unknown> }
  /** Messages of passes, the owner's before the server's. */
  readonly wire: Seen[]
  /** What the owner told the dealer. */
  readonly requests: HttpRequest[]
  /** What the dealer streamed to the server, pass by pass. */
  readonly dealt: Map<number, Buffer>
}

export interface Captures {
  readonly sessions: WireSession[]
  /** Masked weights that the server sent to the dealer. */
  readonly weights: Buffer[]
  /** How many requests the owners sent the dealer in all. */
  readonly requests: number
}

interface Duplex {
  readonly up: Uint8Array[]
  readonly down: Uint8Array[]
}

/** Messages of every WebSocket through a tap. */
function sockets({ connections }: Tap): Duplex[] {
  return connections
    .map(({ up, down }) => [Buffer.concat(up), Buffer.concat(down)])
    .filter(([up]) => isUpgrade(up))
    .map(([up, down]) => ({
      up: linkMessages(socketMessages(up)),
      down: linkMessages(socketMessages(down)),
    }))
}

const json = (bytes: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(bytes).toString())

/** Throws where the wires carried anything that has no place in a conversation. */
export function captures({ ownerServer, ownerDealer, serverDealer }: Wires): Captures {
  const requests = httpRequests(ownerDealer)
  const opened = requests.filter((r) => r.line === 'POST /session HTTP/1.1')
  const dealt = new Map<string, Map<number, Buffer[]>>()
  const weights: Buffer[][] = []
  for (const { up, down } of sockets(serverDealer)) {
    for (const message of up.map(decodeMessage))
      if (message.kind === 'blob')
        weights[message.index] = [...(weights[message.index] ?? []), Buffer.from(message.bytes)]
      else if (message.kind !== 'json') throw new RangeError(`the server sent the dealer a ${message.kind}`)
    for (const message of down.map(decodeMessage)) {
      if (message.kind === 'json' || message.kind === 'end') continue
      if (message.kind !== 'chunk') throw new RangeError(`the dealer sent the server a ${message.kind}`)
      const passes = dealt.get(message.sessionId) ?? new Map<number, Buffer[]>()
      dealt.set(message.sessionId, passes)
      passes.set(message.pass, [...(passes.get(message.pass) ?? []), Buffer.from(message.bytes)])
    }
  }
  const sessions = sockets(ownerServer).map(({ up, down }, i): WireSession => {
    const greetings = { owner: json(up[0]), server: json(down[0]) }
    const id = String(greetings.owner.sessionId)
    const passes = [...(dealt.get(id) ?? [])].map(([n, parts]) => [n, Buffer.concat(parts)] as const)
    return {
      id,
      greetings,
      wire: [
        ...up.slice(1).map((bytes) => ({ from: 'owner', bytes }) as const),
        ...down.slice(1).map((bytes) => ({ from: 'server', bytes }) as const),
      ],
      requests: [opened[i], ...requests.filter((r) => r.line.includes(`/${id}/`))],
      dealt: new Map(passes),
    }
  })
  // The first blob is the public manifest.
  return {
    sessions,
    weights: weights.slice(1).map((parts) => Buffer.concat(parts)),
    requests: requests.length,
  }
}

/** The shape of every pass, as the dealer was asked for it. */
export function shapes({ requests }: WireSession): Map<number, Shape> {
  const passes = requests.filter(({ line }) => line.includes('/pass '))
  return new Map(
    passes.map(({ body }) => [body.readUInt32LE(0), decodeRequest(new Uint8Array(body.subarray(4, -32)))]),
  )
}

/** The shape of every pass, as the owner announced it to the server. */
export function announced({ wire }: WireSession): Map<number, Shape> {
  return new Map(
    wire
      .map(({ bytes }) => decodePass(bytes))
      .flatMap((message) => (message.kind === 'begin' ? [[message.pass, message.shape] as const] : [])),
  )
}
