/** The dealer's state: connected servers, open sessions, and the agreement on new ones. */
import type { Logger } from 'pino'
import type { Identity } from '../../../handshake/crypto.ts'
import { describe } from '../../../handshake/describe.ts'
import { toBase64Url, toHex } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../../handshake/limits.ts'
import { Refusals } from '../../../handshake/refusals.ts'
import type { Link } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import { Admission, type AdmissionLimits, type Place } from '../agreement/admission.ts'
import { acceptServer } from '../agreement/material-handshake.ts'
import type { DealerEngine } from '../agreement/parties.ts'
import { Scheduler, type SchedulerOptions } from '../scheduling/scheduler.ts'
import { type Agreed, agree, type OpenRequest } from './agree.ts'
import { MaterialPool, type PoolLimits } from './material-pool.ts'
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
  scheduling?: SchedulerOptions
  material?: Partial<PoolLimits>
  idleMs?: number
  passesAhead?: number
}

/** Sessions of owners, and connections of the servers that they are dealt for. */
export class Dealer {
  readonly #options: DealerOptions
  readonly #admission: Admission
  readonly #refusals: Refusals
  readonly #scheduler: Scheduler
  readonly #material: MaterialPool
  /** By key, then process: while one is replaced by the next, both are there. */
  readonly #servers = new Map<string, Map<string, ServerConnection>>()
  readonly #sessions = new Map<string, DealerSession>()
  #isDraining = false
  readonly #sweeper: ReturnType<typeof setInterval>

  constructor(options: DealerOptions) {
    this.#options = options
    this.#refusals = new Refusals(options.log)
    this.#admission = new Admission(options.admission)
    this.#scheduler = new Scheduler(options.scheduling)
    this.#material = new MaterialPool({ ...limits, ...options.material })
    const idleMs = options.idleMs ?? limits.idleMs
    this.#sweeper = setInterval(() => this.#evict(idleMs), Math.min(10_000, idleMs / 2))
    this.#sweeper.unref()
  }

  /** The material socket of a server that has just connected. Never rejects. */
  async serve(link: Link): Promise<void> {
    const { identity, allow, log, makeEngine } = this.#options
    try {
      const isAllowed = (key: Uint8Array) => !allow || allow.includes(toBase64Url(key))
      const { serverKey, instance } = await acceptServer(link, identity, isAllowed)
      link.greeted?.()
      const connection = new ServerConnection(link, serverKey, makeEngine(toBase64Url(serverKey)), log)
      const instances = this.#servers.get(connection.name) ?? new Map<string, ServerConnection>()
      this.#servers.set(connection.name, instances)
      await instances.get(instance)?.close('The same server has connected again.')
      instances.set(instance, connection)
      log.info({ server: connection.name }, 'server connected')
      await connection.run()
      if (instances.get(instance) === connection) instances.delete(instance)
      if (instances.size === 0 && this.#servers.get(connection.name) === instances)
        this.#servers.delete(connection.name)
    } catch (error) {
      this.#refusals.say(toSessionError(error).code, 'server turned away')
      await link.close(toSessionError(error).message)
    }
  }

  /**
   * Agrees on a session with an owner; resolves with the JSON to answer. Rejects with `SessionError`, at once
   * where the owner goes (`signal`) before it has its answer.
   */
  async open(request: OpenRequest, peer: string, signal?: AbortSignal): Promise<object> {
    if (this.#isDraining) throw replaced()
    const connections = this.#find(request)
    const [{ serverKey, engine }] = connections
    let session: DealerSession | undefined
    const evicted = new SessionError('too-many-sessions', 'Too many sessions wait for their owners.')
    const left = new SessionError('expired', 'The owner has left before it had its answer.')
    const done = new AbortController()
    let isEvicted = false
    const place = this.#admission.open(peer, () => {
      isEvicted = true
      session?.end(evicted, evicted)
    })
    try {
      const { identity } = this.#options
      const agreed = await this.#scheduler.control(() => agree(identity, serverKey, request))
      const { sessionId, transcript } = agreed
      session = this.#start(agreed, connections, request.modelHash, peer, place)
      const own = session
      signal?.addEventListener('abort', () => own.end(left, left), { once: true, signal: done.signal })
      const gone = isEvicted ? evicted : signal?.aborted ? left : undefined
      if (gone) {
        own.end(gone)
        throw gone
      }
      try {
        const hex = toHex(transcript)
        await accepted(connections.map((to) => to.announce(sessionId, request.modelHash, hex, own.at(to))))
      } catch (error) {
        session.end(toSessionError(error))
        throw error
      }
      this.#refusals.say('opened', 'session opened', { sessionId, modelHash: request.modelHash })
      return await this.#scheduler.control(() => agreed.answer(engine.splitSeed?.(request.modelHash)))
    } catch (error) {
      place.release()
      throw error
    } finally {
      done.abort()
    }
  }

  #start(
    { sessionId, mac, seed }: Agreed,
    connections: readonly ServerConnection[],
    modelHash: string,
    peer: string,
    place: Place,
  ): DealerSession {
    const { log, passesAhead } = this.#options
    const unused = new SessionError('expired', 'What was dealt ahead went unused while others waited.')
    const session: DealerSession = new DealerSession({
      id: sessionId,
      peer,
      mac,
      connections,
      // Engines wipe what they get, and there may be two.
      openPasses: ({ engine }) => engine.open(modelHash, seed.slice()),
      scheduler: this.#scheduler,
      account: this.#material.open(peer, () => session.end(unused, unused)),
      passesAhead,
      awaitsBegin: this.#admission.isMetered,
      countPass: (cost) => this.#admission.countPass(peer, cost),
      onClaim: () => place.claim(),
      onEnd: (reason) => {
        place.release()
        seed.fill(0)
        this.#sessions.delete(sessionId)
        this.#refusals.say(reason.code, 'session ended', { sessionId, reason: describe(reason) })
      },
      onFault: (error) => log.error({ sessionId, reason: describe(error) }, 'dealing failed'),
    })
    this.#sessions.set(sessionId, session)
    return session
  }

  /** Throws `expired` for a session that is over or never was. */
  session(id: string): DealerSession {
    const session = this.#sessions.get(id)
    if (!session && this.#isDraining) throw replaced()
    if (!session) throw new SessionError('expired', 'The dealer does not know this session.')
    return session
  }

  get status() {
    return {
      servers: this.#servers.size,
      models: this.#connections().reduce((sum, server) => sum + server.models.size, 0),
      sessions: this.#sessions.size,
    }
  }

  /** Whether sessions can be opened: there is a server with a model, and no other process takes this one's place. */
  get isReady(): boolean {
    return !this.#isDraining && this.status.models > 0
  }

  /**
   * Opens no more sessions, and ends each once its owner has asked for nothing for a while, which is between replies; all
   * of them after `ms`.
   */
  async drain(ms: number, quietMs = QUIET_MS): Promise<void> {
    this.#isDraining = true
    for (const until = performance.now() + ms; this.#sessions.size > 0; ) {
      const isOver = performance.now() >= until
      for (const session of [...this.#sessions.values()])
        if (isOver || session.isQuiet(quietMs)) session.end(replaced(), replaced())
      if (this.#sessions.size > 0) await new Promise((resolve) => setTimeout(resolve, quietMs / 10))
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    const over = new SessionError('expired', 'The dealer is shutting down.')
    for (const session of [...this.#sessions.values()]) session.end(over, over)
    await Promise.all(this.#connections().map((server) => server.close(over.message)))
  }

  #find(request: OpenRequest): ServerConnection[] {
    if (request.protocolVersion !== PROTOCOL_VERSION) {
      throw new SessionError(
        'version-mismatch',
        `The page speaks version ${request.protocolVersion}, the dealer ${PROTOCOL_VERSION}.`,
      )
    }
    const instances = [...(this.#servers.get(toBase64Url(request.serverIdentity))?.values() ?? [])]
    if (instances.length === 0)
      throw new SessionError('server-absent', 'The model server is not connected to this dealer.')
    const serving = instances.filter(({ models }) => models.has(request.modelHash))
    if (serving.length === 0)
      throw new SessionError('unknown-model', 'The model server has not registered this model here.')
    const { modelHash, planHash, profile } = request
    const agreeing = serving.filter(({ models }) => {
      const model = models.get(modelHash)
      return model?.planHash === planHash && model.profile === profile
    })
    if (agreeing.length === 0) {
      throw new SessionError(
        'plan-mismatch',
        'The page and the model server disagree on how to run this model.',
      )
    }
    return agreeing
  }

  #connections(): ServerConnection[] {
    return [...this.#servers.values()].flatMap((instances) => [...instances.values()])
  }

  #evict(idleMs: number): void {
    const over = new SessionError('expired', 'The session was idle for too long.')
    for (const session of [...this.#sessions.values()]) {
      if (performance.now() - session.lastSeen > idleMs) session.end(over, over)
    }
    this.#material.evictUnused()
  }
}

/** Passes of a reply are asked for faster than this, in milliseconds. */
const QUIET_MS = 2000

const replaced = (): SessionError => new SessionError('restarting', 'The dealer is being replaced.')

/** Once one process has accepted the session, the others have this long, in milliseconds: the owner may come to any. */
const OTHERS_MS = 1000

/** Resolves when processes have accepted a session. Rejects with the first one's reason where none does. */
async function accepted(told: readonly Promise<void>[]): Promise<void> {
  await Promise.any(told).catch(({ errors }: AggregateError) => Promise.reject(errors[0]))
  await withTimeout(Promise.allSettled(told), OTHERS_MS).catch(() => undefined)
}
