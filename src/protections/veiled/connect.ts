/** From a listing and a key to a session with a server that runs the veiled model. */
import { randomBytes } from '../../handshake/crypto.ts'
import { toHex, utf8 } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../handshake/limits.ts'
import { checked, parseJson } from '../../handshake/parse-json.ts'
import { connect } from '../../transport/connect.ts'
import type { Link } from '../../transport/link.ts'
import { withTimeout } from '../../transport/timeout.ts'
import type { ConnectRequest } from '../protection.ts'
import { figureInWords } from './attacks.ts'
import { VeiledConnection } from './connection.ts'
import { kitFor } from './find-kit.ts'
import { veiledListing } from './listing.ts'
import { welcome } from './messages.ts'
import { OwnerEnds } from './owner-ends.ts'

/** Rejects with `SessionError`, `LinkError` or `ProtectionError`. */
export async function connectVeiled(request: ConnectRequest): Promise<VeiledConnection> {
  const { listing, server, surroundings, onEvent } = request
  const facts = checked(veiledListing, listing, `The listing of ${listing.name}`)
  const progress = (done: number, text: string) => onEvent({ type: 'progress', done, total: 2, text })
  if (facts.figure) onEvent({ type: 'notice', text: figureInWords(facts.figure) })
  progress(0, 'Opening the key')
  const kit = await kitFor(request, facts)
  const ends = new OwnerEnds(kit.key)
  progress(1, 'Connecting to the model server')
  const { link, reason } = await connect(server, { ...surroundings.connect, link: request.link })
  try {
    await greet(link, listing.hash, facts.keyId)
  } catch (error) {
    await link.close()
    throw error
  }
  return new VeiledConnection({ link, reason, kit, ends, facts, sessionId: toHex(randomBytes(8)) })
}

async function greet(link: Link, modelHash: string, keyId: string): Promise<void> {
  const hello = { t: 'hello', protocolVersion: PROTOCOL_VERSION, modelHash, keyId }
  await link.send(utf8(JSON.stringify(hello)), true)
  const answer = await withTimeout(link.receive(), limits.handshakeMs)
  const parsed = parseJson(welcome, answer, 'The server’s greeting')
  if (parsed.t === 'refused') throw SessionError.parse(parsed)
}
