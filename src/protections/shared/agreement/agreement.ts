/** The data owner's side: agrees on a session with the dealer, then introduces it to the model server. */

import { aesDecrypt, hkdf, type Mac, newEphemeral, newMac, verify } from '../../../handshake/crypto.ts'
import { equalBytes, fromBase64Url, fromHex, toBase64Url, toHex, utf8 } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../../handshake/limits.ts'
import { parseJson } from '../../../handshake/parse-json.ts'
import { wholeBody } from '../../../transport/body.ts'
import { type Link, newTraffic, type Traffic } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import { openAnswer, welcome } from './messages.ts'
import { keyPurpose, sealPass } from './pass-request.ts'
import { signedBytes, transcriptHash } from './transcript.ts'

/** Whom to agree with, and on what; hashes are 64 hexadecimal digits. */
export interface SessionRequest {
  /** Where the dealer listens. */
  dealerUrl: string
  /** The dealer's identity, pinned by the page's own origin or by `--dealer-key` (base64url). */
  dealerKey: string
  /** The server's identity, from its list of models (base64url). */
  serverKey: string
  modelHash: string
  planHash: string
  profile: string
  fetch?: typeof globalThis.fetch
}

/** A session as its owner holds it. Lives in memory only: a reload, or a second tab, opens another one. */
export class Agreement {
  readonly sessionId: string
  readonly transcript: Uint8Array
  /** The owner's masks derive from these 32 bytes; the dealer has the same. */
  readonly seed: Uint8Array
  /** Split models: what the owner's part of F is expanded from. */
  readonly splitSeed?: Uint8Array
  readonly request: SessionRequest
  /** What crossed between owner and dealer: bodies, without HTTP headers. */
  readonly traffic: Traffic
  readonly #mac: Mac
  readonly #post: Post
  #lastPass = 0
  #queue: Promise<unknown> = Promise.resolve()

  constructor(
    parts: Pick<Agreement, 'sessionId' | 'transcript' | 'seed' | 'splitSeed' | 'request' | 'traffic'>,
    mac: Mac,
    post: Post,
  ) {
    this.sessionId = parts.sessionId
    this.transcript = parts.transcript
    this.seed = parts.seed
    this.splitSeed = parts.splitSeed
    this.request = parts.request
    this.traffic = parts.traffic
    this.#mac = mac
    this.#post = post
  }

  /**
   * Asks the dealer to deal a pass. Numbers start at 1 and only grow; they may skip. Requests leave one at a time, and
   * a lost one is sent again with the same bytes, which the dealer recognises. Rejects with `SessionError`.
   */
  requestPass(pass: number, body: Uint8Array): Promise<void> {
    if (!(pass > this.#lastPass)) throw new SessionError('replayed', `Pass ${pass} was asked for already.`)
    this.#lastPass = pass
    const sealed = sealPass(this.#mac, this.sessionId, pass, body)
    const done = this.#queue.then(
      async () => void (await this.#post(`/session/${this.sessionId}/pass`, await sealed, 3)),
    )
    this.#queue = done.catch(() => undefined)
    return done
  }

  /** Whether the model server has signed its verdict on a pass of this session. */
  isVerdict(pass: number, isRight: boolean, signature: Uint8Array): Promise<boolean> {
    const signed = signedBytes.verdict(this.transcript, pass, isRight)
    return verify(readKey(this.request.serverKey, 'server'), signature, signed)
  }

  /** Tells the dealer to forget the session. */
  async close(): Promise<void> {
    const sealed = await sealPass(this.#mac, this.sessionId, 0, utf8('close'))
    await this.#post(`/session/${this.sessionId}/close`, sealed, 1).catch(() => undefined)
  }
}

/** Agrees on a new session. Rejects with `SessionError`, such as `wrong-dealer-key` or `dealer-unreachable`. */
export async function openSession(request: SessionRequest): Promise<Agreement> {
  const dealerKey = readKey(request.dealerKey, 'dealer')
  const serverKey = readKey(request.serverKey, 'server')
  const traffic = newTraffic()
  const post = poster(request, traffic)
  const ephemeral = await newEphemeral()
  const { modelHash, planHash, profile } = request
  const body = JSON.stringify({
    protocolVersion: PROTOCOL_VERSION,
    modelHash,
    planHash,
    profile,
    serverIdentity: toBase64Url(serverKey),
    ownerEphemeral: toBase64Url(ephemeral.publicKey),
  })
  const answer = parseJson(openAnswer, await post('/session', utf8(body), 1), 'The dealer’s answer')
  const transcript = await transcriptHash({
    protocolVersion: PROTOCOL_VERSION,
    sessionId: fromHex(answer.sessionId),
    modelHash,
    planHash,
    profile,
    dealerKey,
    serverKey,
    ownerEphemeral: ephemeral.publicKey,
    dealerEphemeral: answer.dealerEphemeral,
  })
  const genuine =
    equalBytes(answer.dealerIdentity, dealerKey) &&
    (await verify(dealerKey, answer.signature, signedBytes.dealerAnswer(transcript)))
  if (!genuine)
    throw new SessionError('wrong-dealer-key', 'The dealer could not prove to be the one this page trusts.')
  const secret = await ephemeral.agree(answer.dealerEphemeral)
  const mac = await newMac(await hkdf(secret, transcript, keyPurpose.passMac))
  const seed = await hkdf(secret, transcript, keyPurpose.seed)
  const splitSeed = answer.splitSeed && (await openSplitSeed(secret, transcript, answer.splitSeed))
  const { sessionId } = answer
  return new Agreement({ sessionId, transcript, seed, splitSeed, request, traffic }, mac, post)
}

async function openSplitSeed(
  secret: Uint8Array,
  transcript: Uint8Array,
  box: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await aesDecrypt(await hkdf(secret, transcript, keyPurpose.splitSeed), box, transcript)
  } catch (cause) {
    throw new SessionError('malformed', 'The dealer’s seed of a split model cannot be decrypted.', { cause })
  }
}

/** Introduces the session on a fresh link to the server. Rejects with `SessionError` or `LinkError`. */
export async function greetServer(
  link: Link,
  session: Agreement,
): Promise<{ fSeed: Uint8Array; delayMs: number }> {
  const { modelHash, planHash, serverKey } = session.request
  const transcript = toHex(session.transcript)
  const message = {
    t: 'hello',
    protocolVersion: PROTOCOL_VERSION,
    sessionId: session.sessionId,
    transcript,
    modelHash,
    planHash,
  }
  await link.send(utf8(JSON.stringify(message)), true)
  const answer = parseJson(
    welcome,
    await withTimeout(link.receive(), limits.handshakeMs),
    'The server’s greeting',
  )
  if (answer.t === 'refused') throw SessionError.parse(answer)
  const signed = signedBytes.serverWelcome(session.transcript, answer.fSeed)
  if (!(await verify(readKey(serverKey, 'server'), answer.signature, signed))) {
    throw new SessionError('wrong-server-key', 'The model server could not prove its identity.')
  }
  return { fSeed: answer.fSeed, delayMs: answer.delay }
}

function readKey(text: string, whose: string): Uint8Array {
  try {
    return fromBase64Url(text, 32)
  } catch {
    throw new SessionError('malformed', `The ${whose}’s configured key is not 32 bytes of base64url.`)
  }
}

/** How often, and how long each time, a busy dealer is asked again. */
const BUSY_ATTEMPTS = 8
const MAX_WAIT_S = 15

type Post = (path: string, body: Uint8Array<ArrayBuffer>, attempts: number) => Promise<Uint8Array>

function poster(
  { dealerUrl, fetch = globalThis.fetch.bind(globalThis) }: SessionRequest,
  traffic: Traffic,
): Post {
  return async (path, body, attempts) => {
    let postponed = 0
    for (let attempt = 1; ; attempt++) {
      traffic.sentMessages++
      traffic.sentBytes += body.length
      traffic.sentPayloadBytes += body.length
      try {
        const url = new URL(path, dealerUrl)
        const response = await fetch(url, {
          method: 'POST',
          body,
          cache: 'no-store',
          signal: AbortSignal.timeout(limits.handshakeMs),
        })
        const answer = await wholeBody(response, limits.jsonBytes)
        traffic.receivedMessages++
        traffic.receivedBytes += answer.length
        traffic.receivedPayloadBytes += answer.length
        if (response.ok) return answer
        const refused = refusal(answer)
        if (refused.retryAfter === undefined || ++postponed > BUSY_ATTEMPTS) throw refused
        attempt--
        await new Promise((resolve) =>
          setTimeout(resolve, 1000 * Math.min(refused.retryAfter ?? 0, MAX_WAIT_S)),
        )
      } catch (error) {
        if (error instanceof SessionError) throw error
        if (attempt >= attempts)
          throw new SessionError('dealer-unreachable', 'The dealer does not answer.', { cause: error })
        await new Promise((resolve) => setTimeout(resolve, 200 * attempt))
      }
    }
  }
}

function refusal(answer: Uint8Array): SessionError {
  try {
    return SessionError.parse((JSON.parse(new TextDecoder().decode(answer)) as { error?: unknown }).error)
  } catch {
    return new SessionError('malformed', 'The dealer refused without saying why.')
  }
}
