/**
 * The owner's side of audits: passes on an empty input, and what becomes of them. One that begins at position 0 is shown
 * whole, with those of a reply behind it. One behind passes that were real runs on a cache of its own with nothing in it, and
 * its share of what masks of cached keys and values go into is another than the dealer's: of these its key is not shown.
 */
import { SessionError } from '../../../handshake/errors.ts'
import type { OwnerKeys } from '../prg.ts'
import { type Audits, MAX_REHEARSED, shownBytes } from './audit.ts'
import type { ModelPlans } from './model-plan.ts'
import type { PassOptions, SessionTotals } from './owner-setup.ts'
import { PassError, type PassMessage } from './pass-messages.ts'

/** What is shown of a pass. */
export interface Rehearsed {
  readonly pass: number
  /** Of the owner's masks: those that it may show. */
  readonly shown: Pick<OwnerKeys, 'pass'> & Partial<OwnerKeys>
  readonly dealtBytes: number
}

/** A pass that is over. */
export interface Ran<P extends Rehearsed> {
  readonly prepared: P
  readonly released: Float64Array
}

/** What a rehearsal does with its session. */
export interface RehearsingSession {
  /** A pass that is not rehearsed itself. */
  run(base: number, embeddings: Float64Array, o: PassOptions): Promise<Ran<Rehearsed>>
  /** Gives up a pass that was prepared. */
  drop(): Promise<void>
  /** Says something to the server, which answers. */
  ask(message: PassMessage): Promise<PassMessage>
}

/**
 * Runs passes on an empty input, of the shape that the next one has and as many rows of a reply as may be, and has them
 * audited. Until they are shown, neither dealer nor server can tell them from others. What is shown are the keys of these
 * passes, which no word of the owner was ever under.
 */
export class Rehearsal {
  readonly #plans: ModelPlans
  readonly #totals: SessionTotals
  readonly #session: RehearsingSession

  constructor(plans: ModelPlans, totals: SessionTotals, session: RehearsingSession) {
    this.#plans = plans
    this.#totals = totals
    this.#session = session
  }

  /** Of a pass of `rows` rows from position 0. Rejects with `SessionError` `audit-failed`, and as passes do. */
  async run(audits: Audits, rows: number, { next, signal }: PassOptions): Promise<void> {
    const shown: Rehearsed[] = []
    const rehearse = async (base: number, n: number): Promise<void> => {
      const ran = await this.#session.run(base, this.empty(n), { next, signal })
      shown.push(this.#over(audits, ran))
    }
    await rehearse(0, rows)
    if (next === true) {
      const end = Math.min(rows + MAX_REHEARSED, this.#plans.config.context) - 1
      for (let at = rows; at < end && audits.goesOn(); at++) await rehearse(at, 1)
      // What was prepared behind them is for another position than what comes.
      await this.#session.drop()
    }
    for (const pass of shown) await this.#show(audits, pass)
  }

  /** What a pass of `rows` rows is rehearsed on. */
  empty(rows: number): Float64Array {
    return new Float64Array(rows * this.#plans.inputWidth)
  }

  /** A rehearsal behind real passes is over. Rejects as `run` does. */
  async show(audits: Audits, ran: Ran<Rehearsed>): Promise<void> {
    await this.#show(audits, this.#over(audits, ran))
  }

  #over(audits: Audits, { prepared, released }: Ran<Rehearsed>): Rehearsed {
    audits.asIfRead?.(released)
    this.#totals.rehearsed++
    this.#totals.auditBytes += prepared.dealtBytes
    return prepared
  }

  async #show(audits: Audits, { pass, shown }: Rehearsed): Promise<void> {
    const verdict = await this.#session.ask({ kind: 'audit', pass, payload: shownBytes(shown) })
    if (verdict.kind !== 'verdict' || verdict.pass !== pass)
      throw new PassError('out-of-turn', 'The server answered out of turn.')
    const { isRight, payload } = verdict
    if (!(await audits.isSigned(pass, isRight, payload)))
      throw new SessionError(
        'wrong-server-key',
        'The verdict of an audit bears another signature than the model server’s.',
      )
    if (isRight) {
      this.#totals.audited++
      return
    }
    throw new SessionError(
      'audit-failed',
      `The dealer at ${audits.dealer} failed an audit: it dealt a pass wrongly, says the model server. Nothing that you wrote was in that pass.`,
    )
  }
}
