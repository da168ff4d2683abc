/** Owners' links at the model server: check who comes, then let the engine run the session. */
import type { Logger } from 'pino'
import type { Identity } from '../../../handshake/crypto.ts'
import { describe } from '../../../handshake/describe.ts'
import { toBase64Url, utf8 } from '../../../handshake/encoding.ts'
import { SessionError, toSessionError } from '../../../handshake/errors.ts'
import { limits, PROTOCOL_VERSION } from '../../../handshake/limits.ts'
import { LinkError } from '../../../transport/errors.ts'
import type { Link } from '../../../transport/link.ts'
import { withTimeout } from '../../../transport/timeout.ts'
import { hello, parseJson } from '../agreement/messages.ts'
import type { ServerEngine } from '../agreement/parties.ts'
import { signedBytes } from '../agreement/transcript.ts'
import type { MaterialClient } from './material-client.ts'
import type { SessionMaterial } from './session-material.ts'

export interface SessionsOptions {
  engine: ServerEngine
  identity: Identity
  material: Pick<MaterialClient, 'claim'>
  log: Logger
  idleMs?: number
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #open = new Set<Link>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#open.size
  }

  /** Serves one link to its end. Never rejects. */
  async serve(link: Link): Promise<void> {
    const { engine, log } = this.#options
    this.#open.add(link)
    let session: SessionMaterial | undefined
    try {
      session = await this.#greet(link)
      log.info({ link: link.kind }, 'session started')
      session.onFail((error) => void link.close(error.message))
      // While it waits for the dealer, the engine would not notice that the owner has gone.
      link.onEnd?.(() => session?.fail(new SessionError('expired', 'The owner has left.')))
      await engine.open(session.modelHash, watchIdle(link, this.#options.idleMs ?? limits.idleMs), session)
      await link.close('The session is over.')
    } catch (error) {
      // A link that the owner closed is the ordinary end.
      const ordinary = error instanceof LinkError && (error.code === 'closed' || error.code === 'lost')
      log[ordinary ? 'info' : 'warn']({ reason: describe(error) }, 'session ended')
      await link.close(error instanceof LinkError ? error.message : toSessionError(error).message)
    } finally {
      session?.fail(new SessionError('expired', 'The session is over.'))
      this.#open.delete(link)
    }
  }

  /** Checks the owner's introduction and answers it. Rejects with what it told the owner. */
  async #greet(link: Link): Promise<SessionMaterial> {
    try {
      const { engine, identity, material } = this.#options
      const first = parseJson(hello, await withTimeout(link.receive(), limits.handshakeMs), 'The greeting')
      if (first.protocolVersion !== PROTOCOL_VERSION) {
        const theirs = first.protocolVersion
        throw new SessionError(
          'version-mismatch',
          `The page speaks version ${theirs}, the server ${PROTOCOL_VERSION}.`,
        )
      }
      const model = engine.models().find((served) => served.modelHash === first.modelHash)
      if (!model) throw new SessionError('unknown-model', 'The server has no such model.')
      if (model.planHash !== first.planHash) {
        throw new SessionError(
          'plan-mismatch',
          'The page and the model server disagree on how to run this model.',
        )
      }
      const session = material.claim(first.sessionId, first.transcript, first.modelHash)
      const fSeed = engine.fSeed(first.modelHash)
      const signature = await identity.sign(signedBytes.serverWelcome(session.transcript, fSeed))
      const answer = { t: 'welcome', fSeed: toBase64Url(fSeed), signature: toBase64Url(signature) }
      await link.send(utf8(JSON.stringify(answer)), true)
      return session
    } catch (error) {
      if (error instanceof LinkError) throw error
      const typed = toSessionError(error)
      const answer = { t: 'refused', code: typed.code, message: typed.message }
      await link.send(utf8(JSON.stringify(answer)), true).catch(() => undefined)
      // The refusal needs a moment to leave, on a fetch link even another request.
      await new Promise((resolve) => setTimeout(resolve, 250))
      throw typed
    }
  }
}

/** Closes a link over which nothing was received for too long. */
function watchIdle(link: Link, idleMs: number): Link {
  let timer: ReturnType<typeof setTimeout>
  const restart = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void link.close('The session was idle for too long.'), idleMs)
    timer.unref()
  }
  restart()
  return {
    kind: link.kind,
    traffic: link.traffic,
    send: (message, reply) => link.send(message, reply),
    receive: async () => {
      try {
        return await link.receive()
      } finally {
        restart()
      }
    },
    close: (reason) => {
      clearTimeout(timer)
      return link.close(reason)
    },
  }
}
