/** The dealer's state: connected servers, open sessions, and the agreement on new ones. */
import type { Logger } from 'pino'
import type * as v from 'valibot'
import {
  aesEncrypt,
  hkdf,
  type Identity,
  newEphemeral,
  newMac,
  randomBytes,
} from '../../../handshake/crypto.ts'
import { describe } from '../../../handshake/describe.ts'
import { toBase64Url, toHex } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../../handshake/limits.ts'
import type { Link } from '../../../transport/link.ts'
import { Admission, type AdmissionLimits } from '../agreement/admission.ts'
import { acceptServer } from '../agreement/material-handshake.ts'
import { SESSION_ID_BYTES } from '../agreement/material-socket.ts'
import type { openRequest } from '../agreement/messages.ts'
import type { DealerEngine } from '../agreement/parties.ts'
import { keyPurpose } from '../agreement/pass-request.ts'
import { signedBytes, transcriptHash } from '../agreement/transcript.ts'
import { ServerConnection } from './server-connection.ts'
import { DealerSession } from './session.ts'

/** Who it is, whom it deals for, and how much it admits. */
export interface DealerOptions {
  identity: Identity
  /** Keys of the servers that may connect (base64url); `undefined` allows every server that proves its key. */
  allow?: readonly string[]
  /** Each server gets its own engine, so that one server's models are out of another's reach. */
  makeEngine: (serverKey: string) => DealerEngine
  log: Logger
  admission?: Partial<AdmissionLimits>
  idleMs?: number
  passesAhead?: number
}

/** Sessions of owners, and connections of the servers that they are dealt for. */
export class Dealer {
  readonly #options: DealerOptions
  readonly #admission: Admission
  readonly #servers = new Map<string, ServerConnection>()
  readonly #sessions = new Map<string, DealerSession>()
  readonly #sweeper: ReturnType<typeof setInterval>

  constructor(options: DealerOptions) {
    this.#options = options
    this.#admission = new Admission(options.admission)
    const idleMs = options.idleMs ?? limits.idleMs
    this.#sweeper = setInterval(() => this.#evict(idleMs), Math.min(10_000, idleMs / 2))
    this.#sweeper.unref()
  }

  /** The material socket of a server that has just connected. Never rejects. */
  async serve(link: Link): Promise<void> {
    const { identity, allow, log, makeEngine } = this.#options
    try {
      const isAllowed = (key: Uint8Array) => !allow || allow.includes(toBase64Url(key))
      const serverKey = await acceptServer(link, identity, isAllowed)
      link.greeted?.()
      const connection = new ServerConnection(link, serverKey, makeEngine(toBase64Url(serverKey)), log)
      await this.#servers.get(connection.name)?.close('The same server has connected again.')
      this.#servers.set(connection.name, connection)
      log.info({ server: connection.name }, 'server connected')
      await connection.run()
      if (this.#servers.get(connection.name) === connection) this.#servers.delete(connection.name)
    } catch (error) {
      log.warn({ reason: describe(error) }, 'server turned away')
      await link.close(toSessionError(error).message)
    }
  }

  /** Agrees on a session with an owner; resolves with the JSON to answer. Rejects with `SessionError`. */
  async open(request: v.InferOutput<typeof openRequest>, peer: string): Promise<object> {
    const connection = this.#find(request)
    let session: DealerSession | undefined
    const evicted = new SessionError('too-many-sessions', 'Too many sessions wait for their owners.')
    let isEvicted = false
    const place = this.#admission.open(peer, () => {
      isEvicted = true
      session?.end(evicted, evicted)
    })
    try {
      const { identity, log, passesAhead } = this.#options
      const ephemeral = await newEphemeral()
      const id = randomBytes(SESSION_ID_BYTES)
      const sessionId = toHex(id)
      const transcript = await transcriptHash({
        protocolVersion: PROTOCOL_VERSION,
        sessionId: id,
        modelHash: request.modelHash,
        planHash: request.planHash,
        profile: request.profile,
        dealerKey: identity.publicKey,
        serverKey: connection.serverKey,
        ownerEphemeral: request.ownerEphemeral,
        dealerEphemeral: ephemeral.publicKey,
      })
      const secret = await ephemeral.agree(request.ownerEphemeral)
      const mac = await newMac(await hkdf(secret, transcript, keyPurpose.passMac))
      const opened = new DealerSession({
        id: sessionId,
        mac,
        passes: connection.engine.open(request.modelHash, await hkdf(secret, transcript, keyPurpose.seed)),
        connection,
        passesAhead,
        countPass: (cost) => this.#admission.countPass(peer, cost),
        onClaim: () => place.claim(),
        onEnd: (reason) => {
          place.release()
          this.#sessions.delete(sessionId)
          log.info({ sessionId, reason: describe(reason) }, 'session ended')
        },
        onFault: (error) => log.error({ sessionId, reason: describe(error) }, 'dealing failed'),
      })
      session = opened
      this.#sessions.set(sessionId, opened)
      if (isEvicted) opened.end(evicted)
      try {
        await connection.announce(sessionId, request.modelHash, toHex(transcript), opened)
      } catch (error) {
        opened.end(toSessionError(error))
        throw error
      }
      log.info({ sessionId, modelHash: request.modelHash }, 'session opened')
      const signature = await identity.sign(signedBytes.dealerAnswer(transcript))
      const split = connection.engine.splitSeed?.(request.modelHash)
      const splitKey = split && (await hkdf(secret, transcript, keyPurpose.splitSeed))
      const splitSeed = split && splitKey && toBase64Url(await aesEncrypt(splitKey, split, transcript))
      return {
        sessionId,
        dealerIdentity: toBase64Url(identity.publicKey),
        dealerEphemeral: toBase64Url(ephemeral.publicKey),
        signature: toBase64Url(signature),
        ...(splitSeed === undefined ? {} : { splitSeed }),
      }
    } catch (error) {
      place.release()
      throw error
    }
  }

  /** Throws `expired` for a session that is over or never was. */
  session(id: string): DealerSession {
    const session = this.#sessions.get(id)
    if (!session) throw new SessionError('expired', 'The dealer does not know this session.')
    return session
  }

  get status() {
    return {
      servers: this.#servers.size,
      models: [...this.#servers.values()].reduce((sum, server) => sum + server.models.size, 0),
      sessions: this.#sessions.size,
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    const over = new SessionError('expired', 'The dealer is shutting down.')
    for (const session of [...this.#sessions.values()]) session.end(over, over)
    await Promise.all([...this.#servers.values()].map((server) => server.close(over.message)))
  }

  #find(request: v.InferOutput<typeof openRequest>): ServerConnection {
    if (request.protocolVersion !== PROTOCOL_VERSION) {
      throw new SessionError(
        'version-mismatch',
        `The page speaks version ${request.protocolVersion}, the dealer ${PROTOCOL_VERSION}.`,
      )
    }
    const connection = this.#servers.get(toBase64Url(request.serverIdentity))
    if (!connection)
      throw new SessionError('server-absent', 'The model server is not connected to this dealer.')
    const model = connection.models.get(request.modelHash)
    if (!model)
      throw new SessionError('unknown-model', 'The model server has not registered this model here.')
    if (model.planHash !== request.planHash || model.profile !== request.profile) {
      throw new SessionError(
        'plan-mismatch',
        'The page and the model server disagree on how to run this model.',
      )
    }
    return connection
  }

  #evict(idleMs: number): void {
    const over = new SessionError('expired', 'The session was idle for too long.')
    for (const session of [...this.#sessions.values()]) {
      if (Date.now() - session.lastSeen > idleMs) session.end(over, over)
    }
  }
}
