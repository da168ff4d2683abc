/** A session that the dealer has announced, and the material that arrives for it. */
import { equalBytes, fromHex } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { limits } from '../../../handshake/limits.ts'
import { Queue } from '../../../transport/queue.ts'
import type { MaterialSource } from '../session/server-session.ts'

export interface SessionMaterialParts {
  modelHash: string
  /** Hex. */
  transcript: string
  claimMs: number
  /** Gives the dealer room for so many more bytes. */
  credit(bytes: number): void
  /** Tells the dealer that the owner has begun a pass. */
  begun(pass: number): void
  /** Tells the dealer that a pass is used up. */
  used(pass: number): void
  onEnd(reason: SessionError): void
}

interface Pass {
  chunks: Queue
  complete: boolean
}

/** What was dealt for one session and not used yet, pass by pass. */
export class SessionMaterial implements MaterialSource {
  readonly transcript: Uint8Array
  readonly modelHash: string
  readonly #parts: SessionMaterialParts
  readonly #passes = new Map<number, Pass>()
  /** Discarded before the dealer was done with them. */
  readonly #burnt = new Set<number>()
  readonly #failures: ((error: SessionError) => void)[] = []
  /** Bytes read that the dealer has not been told of. */
  #read = 0
  #claimed = false
  #over: SessionError | undefined
  readonly #claimTimer: ReturnType<typeof setTimeout>

  constructor(parts: SessionMaterialParts) {
    this.#parts = parts
    this.modelHash = parts.modelHash
    this.transcript = fromHex(parts.transcript)
    this.#claimTimer = setTimeout(
      () => this.fail(new SessionError('expired', 'Nobody came for the session in time.')),
      parts.claimMs,
    )
  }

  /** Throws `replayed` the second time, `expired` or `unknown-model` where the announcement says something else. */
  claim(transcript: string, modelHash: string): void {
    if (this.#over) throw this.#over
    if (this.#claimed) throw new SessionError('replayed', 'This session was started already.')
    if (!equalBytes(fromHex(transcript), this.transcript)) {
      throw new SessionError('plan-mismatch', 'Owner and dealer did not agree on the same session.')
    }
    if (modelHash !== this.modelHash)
      throw new SessionError('unknown-model', 'The session is for another model.')
    this.#claimed = true
    clearTimeout(this.#claimTimer)
  }

  /** Whether the owner has come for it. */
  get isClaimed(): boolean {
    return this.#claimed
  }

  /** The next chunk of a pass. Rejects with `SessionError`: `replayed` for a discarded pass, or why the session is over. */
  next(pass: number): Promise<Uint8Array> {
    if (this.#over) return Promise.reject(this.#over)
    if (this.#burnt.has(pass))
      return Promise.reject(new SessionError('replayed', `Pass ${pass} was discarded.`))
    const state = this.#pass(pass)
    if (state.chunks.isAwaited)
      return Promise.reject(new SessionError('internal', 'Two readers of one pass.'))
    const before = state.chunks.bytes
    const chunk = state.chunks.next()
    this.#credit(before - state.chunks.bytes)
    this.#settle(pass, state)
    return chunk
  }

  begun(pass: number): void {
    if (!this.#over) this.#parts.begun(pass)
  }

  /** Drops what has come of a pass, and what still comes; its masks are never used. */
  discard(pass: number): void {
    if (this.#over || this.#burnt.has(pass)) return
    const state = this.#pass(pass)
    this.#credit(state.chunks.drop())
    state.chunks.end(new SessionError('expired', `Pass ${pass} was abandoned.`))
    this.#burnt.add(pass)
    this.#passes.delete(pass)
    this.#parts.used(pass)
  }

  /** From the dealer. */
  chunk(pass: number, bytes: Uint8Array): void {
    if (this.#burnt.has(pass)) {
      this.#credit(bytes.length)
      return
    }
    // Credit counts bytes: what has none could come without end.
    if (bytes.length === 0) {
      this.fail(new SessionError('malformed', 'The dealer sent a piece of material without any.'))
      return
    }
    const { chunks } = this.#pass(pass)
    if (chunks.isAwaited) this.#credit(bytes.length)
    chunks.push(bytes)
  }

  /** From the dealer: nothing more comes for this pass. */
  endOfPass(pass: number): void {
    if (this.#burnt.has(pass)) return
    const state = this.#pass(pass)
    state.complete = true
    state.chunks.end(new SessionError('replayed', `The material of pass ${pass} is used up.`))
    this.#settle(pass, state)
  }

  /** Called once when the session ends at the dealer, or by `fail`. */
  onFail(listener: (error: SessionError) => void): void {
    if (this.#over) listener(this.#over)
    else this.#failures.push(listener)
  }

  /** Ends the session: readers reject, buffered material is forgotten, the dealer is told. */
  fail(error: SessionError): void {
    if (this.#over) return
    this.#over = error
    clearTimeout(this.#claimTimer)
    for (const { chunks } of this.#passes.values()) {
      chunks.drop()
      chunks.end(error)
    }
    this.#passes.clear()
    for (const listener of this.#failures.splice(0)) listener(error)
    this.#parts.onEnd(error)
  }

  #pass(pass: number): Pass {
    let state = this.#passes.get(pass)
    if (!state) {
      state = { chunks: new Queue(), complete: false }
      this.#passes.set(pass, state)
    }
    return state
  }

  #credit(bytes: number): void {
    this.#read += bytes
    if (this.#read < limits.creditBytes) return
    this.#parts.credit(this.#read)
    this.#read = 0
  }

  /** A pass whose last chunk was read is used up. */
  #settle(pass: number, state: Pass): void {
    if (!state.complete || !state.chunks.isEmpty) return
    this.#passes.delete(pass)
    this.#burnt.add(pass)
    this.#parts.used(pass)
  }
}
