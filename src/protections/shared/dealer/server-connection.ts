/** One authenticated model server, as the dealer sees it: its models, and the socket that takes the material. */
import type { Logger } from 'pino'
import { describe } from '../../../handshake/describe.ts'
import { toBase64Url } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { limits as transport } from '../../../transport/limits.ts'
import type { Link } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import {
  decodeMessage,
  encodeJson,
  encodePassPart,
  parseMessage,
  type ToDealer,
  type ToServer,
  toDealerSchema,
} from '../agreement/material-socket.ts'
import type { DealerEngine, PlannedModel } from '../agreement/parties.ts'
import { Registration } from './registration.ts'

/** What a session does with its server's messages. */
export interface SessionEvents {
  /** The owner has come to the server. */
  claimed(): void
  credit(bytes: number): void
  /** The owner has begun a pass there. */
  begun(pass: number): void
  used(pass: number): void
  /** The server has ended the session, or has gone. */
  ended(reason: SessionError): void
}

/** One model server's socket, from its introduction to its end. */
export class ServerConnection {
  readonly serverKey: Uint8Array
  readonly name: string
  readonly engine: DealerEngine
  readonly models = new Map<string, PlannedModel>()
  readonly #link: Link
  readonly #log: Logger
  readonly #sessions = new Map<string, SessionEvents>()
  readonly #opening = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()
  #registration: Registration | undefined
  readonly #scratch = new Uint8Array(transport.chunkBytes)

  constructor(link: Link, serverKey: Uint8Array, engine: DealerEngine, log: Logger) {
    this.#link = link
    this.serverKey = serverKey
    this.name = toBase64Url(serverKey)
    this.engine = engine
    this.#log = log
  }

  /** Serves the socket until it ends; every session of this server ends with it. Never rejects. */
  async run(): Promise<void> {
    // The server connects again, and registers its models with an engine that is whole.
    void this.engine.failed?.then((error) => {
      this.#log.error({ server: this.name, reason: describe(error) }, 'dealing is broken off')
      return this.close('The dealer cannot deal for now.')
    })
    try {
      for (;;) await this.#handle(await this.#link.receive())
    } catch (error) {
      this.#log.info({ server: this.name, reason: describe(error) }, 'server disconnected')
      const lost = new SessionError('server-absent', 'The model server has disconnected from the dealer.')
      this.#registration?.fail(lost)
      for (const { reject } of this.#opening.values()) reject(lost)
      for (const session of [...this.#sessions.values()]) session.ended(lost)
      this.engine.close()
      await this.#link.close(toSessionError(error, 'dealer-lost').message)
    }
  }

  /** Tells the server of a new session; resolves when it accepts. Rejects with `SessionError`. */
  async announce(
    sessionId: string,
    modelHash: string,
    transcript: string,
    events: SessionEvents,
  ): Promise<void> {
    this.#sessions.set(sessionId, events)
    const accepted = new Promise<void>((resolve, reject) => this.#opening.set(sessionId, { resolve, reject }))
    // It may reject while the announcement still waits to be sent, which then rejects itself.
    accepted.catch(() => undefined)
    try {
      await this.#send({ t: 'open', sessionId, modelHash, transcript })
      await withTimeout(accepted, limits.handshakeMs)
    } catch (error) {
      this.#sessions.delete(sessionId)
      throw toSessionError(error, 'server-absent')
    } finally {
      this.#opening.delete(sessionId)
    }
  }

  /** Resolves when the socket has room; `bytes` are copied before. */
  async chunk(sessionId: string, pass: number, bytes: Uint8Array): Promise<void> {
    await this.#link.send(encodePassPart('chunk', sessionId, pass, bytes, this.#scratch), false)
  }

  endPass(sessionId: string, pass: number): Promise<void> {
    return this.#link.send(encodePassPart('end', sessionId, pass), false)
  }

  /** The session is over at the dealer. */
  async endSession(sessionId: string, error?: SessionError): Promise<void> {
    if (!this.#sessions.delete(sessionId)) return
    const message: ToServer = error
      ? { t: 'failed', sessionId, error: error.toJSON() }
      : { t: 'close', sessionId }
    await this.#send(message).catch(() => undefined)
  }

  close(reason: string): Promise<void> {
    return this.#link.close(reason)
  }

  get traffic() {
    return this.#link.traffic
  }

  #send(message: ToServer): Promise<void> {
    return this.#link.send(encodeJson(message), false)
  }

  async #handle(bytes: Uint8Array): Promise<void> {
    const message = decodeMessage(bytes)
    if (message.kind === 'blob' && this.#registration) return this.#registration.add(message)
    if (message.kind !== 'json')
      throw new SessionError('malformed', 'A server sent what only a dealer may send.')
    await this.#act(parseMessage(toDealerSchema, message.value))
  }

  async #act(message: ToDealer): Promise<void> {
    switch (message.t) {
      case 'register':
        return this.#register(message)
      case 'registered-all':
        return this.#finishRegistration()
      case 'opened':
        return this.#opening.get(message.sessionId)?.resolve()
      case 'refused':
        return this.#opening.get(message.sessionId)?.reject(SessionError.parse(message.error))
      case 'claimed':
        return this.#sessions.get(message.sessionId)?.claimed()
      case 'credit':
        return this.#sessions.get(message.sessionId)?.credit(message.bytes)
      case 'begun':
        return this.#sessions.get(message.sessionId)?.begun(message.pass)
      case 'used':
        return this.#sessions.get(message.sessionId)?.used(message.pass)
      case 'close': {
        const session = this.#sessions.get(message.sessionId)
        this.#sessions.delete(message.sessionId)
        return session?.ended(SessionError.parse(message.error))
      }
      default:
        throw new SessionError('malformed', 'A server sent a message at the wrong time.')
    }
  }

  #register({ modelHash, planHash, profile }: PlannedModel): void {
    if (this.#registration) throw new SessionError('malformed', 'Two registrations overlap.')
    if (this.models.size >= limits.modelsPerServer) throw new SessionError('oversized', 'Too many models.')
    this.models.delete(modelHash)
    this.#registration = new Registration({ modelHash, planHash, profile }, this.engine)
  }

  async #finishRegistration(): Promise<void> {
    const registration = this.#registration
    this.#registration = undefined
    if (!registration) throw new SessionError('malformed', 'A registration ended that never began.')
    registration.finish()
    const { modelHash } = registration.model
    try {
      await registration.done
      this.models.set(modelHash, registration.model)
      this.#log.info({ server: this.name, modelHash }, 'model registered')
      await this.#send({ t: 'registered', modelHash })
    } catch (error) {
      const typed = toSessionError(error)
      this.#log.error(
        { server: this.name, modelHash, reason: describe(typed.cause ?? typed) },
        'model refused',
      )
      await this.#send({ t: 'unregistered', modelHash, error: typed.toJSON() })
    }
  }
}
