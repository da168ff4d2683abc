/** The model server's connection to its dealer: registers models, hears of sessions, receives their material. */
import type { Logger } from 'pino'
import { type Identity, randomBytes } from '../../../handshake/crypto.ts'
import { describe } from '../../../handshake/describe.ts'
import { toBase64Url } from '../../../handshake/encoding.ts'
import { SessionError, type SessionErrorCode } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import type { Link } from '../../../transport/link.ts'
import { greetDealer } from '../agreement/material-handshake.ts'
import {
  decodeMessage,
  encodeJson,
  parseMessage,
  type ToDealer,
  type ToServer,
  toServerSchema,
} from '../agreement/material-socket.ts'
import type { ServerEngine } from '../agreement/parties.ts'
import { Backoff } from './backoff.ts'
import { Registrar } from './registration.ts'
import { SessionMaterial } from './session-material.ts'

export interface MaterialClientOptions {
  /** Opens the material socket. */
  connect: () => Promise<Link>
  identity: Identity
  dealerKey: Uint8Array
  engine: ServerEngine
  log: Logger
  maxSessions?: number
  claimMs?: number
}

/** Trying again would not change these. */
const hopeless = new Set<SessionErrorCode>([
  'wrong-dealer-key',
  'plan-mismatch',
  'version-mismatch',
  'oversized',
  'split-bundle-missing',
])

/**
 * The server's connection to its dealer: registers models, and hands each session its material. It connects
 * anew for as long as that can help.
 */
export class MaterialClient {
  readonly #options: MaterialClientOptions
  /** Of this process: another one with the same key is another server to the dealer. */
  readonly #instance = toBase64Url(randomBytes(16))
  readonly #sessions = new Map<string, SessionMaterial>()
  readonly #registrar: Registrar
  #link: Link | undefined
  readonly #readyListeners: (() => void)[] = []
  #stopped = false
  #stopWaiting: (() => void) | undefined

  constructor(options: MaterialClientOptions) {
    this.#options = options
    this.#registrar = new Registrar(options.engine, {
      onRegistered: ({ modelHash }) => {
        options.log.info({ modelHash }, 'model registered at the dealer')
        for (const listener of this.#readyListeners.splice(0)) listener()
      },
      onProgress: ({ modelHash }, pace) =>
        options.log.info({ modelHash, ...pace }, 'registering at the dealer'),
    })
  }

  /** All models are registered, and sessions can be opened. */
  get ready(): boolean {
    return this.#link !== undefined && this.#registrar.complete
  }

  /** The dealer is there, and this model is still on its way to it. */
  isPending(modelHash: string): boolean {
    return this.#link !== undefined && !this.#registrar.has(modelHash)
  }

  /** Resolves when sessions with the first model can be opened; the others follow one by one. */
  whenReady(): Promise<void> {
    return this.ready ? Promise.resolve() : new Promise((resolve) => this.#readyListeners.push(resolve))
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  get traffic() {
    return this.#link?.traffic
  }

  /** Connects, and reconnects for ever. Resolves after `stop`; rejects only where trying again is useless. */
  async run(): Promise<void> {
    const { connect, identity, dealerKey, log } = this.#options
    const backoff = new Backoff()
    while (!this.#stopped) {
      try {
        const link = await connect()
        this.#link = link
        await greetDealer(link, identity, dealerKey, this.#instance)
        backoff.connected()
        log.info('dealer connected')
        await Promise.all([this.#listen(link), this.#registrar.run(link)])
      } catch (error) {
        if (!this.#stopped) log.warn({ reason: describe(error) }, 'no dealer')
        if (error instanceof SessionError && hopeless.has(error.code)) throw error
      } finally {
        this.#drop()
      }
      if (!this.#stopped) await this.#pause(backoff.next())
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#stopWaiting?.()
    await this.#link?.close('The model server is shutting down.')
  }

  /** Hands out an announced session, once. Throws `SessionError`. */
  claim(sessionId: string, transcript: string, modelHash: string): SessionMaterial {
    const session = this.#sessions.get(sessionId)
    if (!session) throw new SessionError('expired', 'The dealer has announced no such session.')
    if (this.#claimed >= this.#most)
      throw new SessionError('too-many-sessions', 'The model server has no free sessions.')
    session.claim(transcript, modelHash)
    this.#tell({ t: 'claimed', sessionId })
    return session
  }

  get #most(): number {
    return this.#options.maxSessions ?? limits.sessions
  }

  get #claimed(): number {
    let count = 0
    for (const { isClaimed } of this.#sessions.values()) if (isClaimed) count++
    return count
  }

  #drop(): void {
    const link = this.#link
    this.#link = undefined
    const lost = new SessionError('dealer-lost', 'The connection to the dealer was lost.')
    this.#registrar.reset(lost)
    for (const session of [...this.#sessions.values()]) session.fail(lost)
    this.#sessions.clear()
    void link?.close('The connection is given up.')
  }

  async #listen(link: Link): Promise<never> {
    for (;;) await this.#handle(await link.receive())
  }

  async #handle(bytes: Uint8Array): Promise<void> {
    const message = decodeMessage(bytes)
    if (message.kind === 'json') return this.#act(parseMessage(toServerSchema, message.value))
    if (message.kind === 'blob')
      throw new SessionError('malformed', 'A dealer sent what only a server may send.')
    const session = this.#sessions.get(message.sessionId)
    if (!session) return
    if (message.kind === 'chunk') session.chunk(message.pass, message.bytes)
    else session.endOfPass(message.pass)
  }

  #act(message: ToServer) {
    switch (message.t) {
      case 'registered':
      case 'unregistered':
        return this.#registrar.settle(message)
      case 'open':
        return this.#announce(message)
      case 'failed':
        return this.#sessions.get(message.sessionId)?.fail(SessionError.parse(message.error))
      case 'close':
        return this.#sessions
          .get(message.sessionId)
          ?.fail(new SessionError('expired', 'The dealer has closed the session.'))
      default:
        throw new SessionError('malformed', 'The dealer sent a message at the wrong time.')
    }
  }

  #announce({ sessionId, modelHash, transcript }: Extract<ToServer, { t: 'open' }>) {
    const claimed = this.#claimed
    if (claimed >= this.#most || this.#sessions.size - claimed >= limits.unclaimedSessions) {
      const error = new SessionError('too-many-sessions', 'The model server has no free sessions.')
      this.#tell({ t: 'refused', sessionId, error: error.toJSON() })
      return
    }
    const session = new SessionMaterial({
      modelHash,
      transcript,
      claimMs: this.#options.claimMs ?? limits.claimMs,
      credit: (bytes) => this.#tell({ t: 'credit', sessionId, bytes }),
      begun: (pass) => this.#tell({ t: 'begun', sessionId, pass }),
      used: (pass) => this.#tell({ t: 'used', sessionId, pass }),
      onEnd: (reason) => {
        if (this.#sessions.delete(sessionId)) this.#tell({ t: 'close', sessionId, error: reason.toJSON() })
      },
    })
    this.#sessions.set(sessionId, session)
    this.#tell({ t: 'opened', sessionId })
  }

  /** Small messages that nobody waits for; a lost socket is noticed by the reader. */
  #tell(message: ToDealer): void {
    this.#link?.send(encodeJson(message), false).catch(() => undefined)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#stopWaiting = resolve
      setTimeout(resolve, ms)
    })
  }
}
