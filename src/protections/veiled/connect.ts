/** From a listing and a key to a session with a server that runs the veiled model. */
import * as v from 'valibot'
import { randomBytes } from '../../handshake/crypto.ts'
import { toHex, utf8 } from '../../handshake/encoding.ts'
import { SessionError } from '../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../handshake/limits.ts'
import { checked, parseJson } from '../../handshake/parse-json.ts'
import { wholeBody } from '../../transport/body.ts'
import { connect } from '../../transport/connect.ts'
import type { Link } from '../../transport/link.ts'
import { partyUrl } from '../../transport/party-url.ts'
import { withTimeout } from '../../transport/timeout.ts'
import { type ConnectRequest, ProtectionError } from '../protection.ts'
import { figureInWords } from './attacks.ts'
import { VeiledConnection } from './connection.ts'
import { VEILED } from './id.ts'
import { type Kit, parseKit } from './kit.ts'
import { type VeiledListing, veiledListing } from './listing.ts'
import { welcome } from './messages.ts'
import { OwnerEnds } from './owner-ends.ts'
import { KeyFileError } from './owner-key.ts'

/** Most bytes of a kit: tokenizers are large. */
const KIT_BYTES = 64 << 20

/** Kits by the ids of their keys: each itself, or the address that it is at. */
const settingsSchema = v.object({
  kits: v.record(v.string(), v.union([v.string(), v.looseObject({})])),
})
/** What a page's configuration says for veiled models. */
export interface VeiledSettings {
  readonly kits: Readonly<Record<string, string | Kit>>
}

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

async function kitFor(
  { settings, base, listing, surroundings }: ConnectRequest,
  facts: VeiledListing,
): Promise<Kit> {
  const { keyId } = facts
  const parsed = v.safeParse(settingsSchema, settings)
  const kits = parsed.success ? parsed.output.kits : {}
  const found = Object.hasOwn(kits, keyId) ? kits[keyId] : undefined
  if (found === undefined)
    throw new ProtectionError(
      'key-needed',
      `${listing.name} is disguised with key ${keyId.slice(0, 8)}, which is not here.`,
      `Ask its developer for a key file. A page names it in config.json: {"protections": {"${VEILED}": {"kits": {"${keyId}": ADDRESS}}}}; a terminal takes --keys.`,
    )
  try {
    const value = typeof found === 'string' ? await fetchKit(found, base, surroundings.connect.fetch) : found
    const kit = parseKit(value, `The kit of key ${keyId.slice(0, 8)}`)
    const ends = new OwnerEnds(kit.key)
    ends.check(keyId)
    ends.checkSizes(
      facts.kind === 'decoder'
        ? { tokens: facts.vocab }
        : { labels: facts.labelCount, ...(facts.kind === 'labels' ? { tokens: facts.vocab } : {}) },
    )
    return kit
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause
    throw new ProtectionError(
      'key-needed',
      cause.message,
      'Ask the model’s developer for the key file again.',
    )
  }
}

async function fetchKit(
  address: string,
  base: string | undefined,
  fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
): Promise<unknown> {
  const url = partyUrl(address, 'the key file', { base })
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limits.handshakeMs) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(new TextDecoder().decode(await wholeBody(response, KIT_BYTES)))
  } catch (cause) {
    throw new KeyFileError('bad-file', 'The key file cannot be had where the page says it is.', { cause })
  }
}
