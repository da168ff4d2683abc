/**
 * Who may use the dealer's thread: what opens and ends sessions first, then passes of one row, then prompts. Of each kind
 * few are under way at a time, in slices of a few milliseconds; which begins next goes by address, then session, by
 * declared cost.
 */
import type { Turn } from '../session/turn.ts'
import { Backlog, type BacklogLimits } from './backlog.ts'
import { Line, RoundRobin } from './round-robin.ts'
import { Stage } from './stage.ts'

export interface Job {
  /** Whose it is: a network address, then a session, whose deals run one after another. */
  readonly peer: string
  readonly session: string
  /** Bytes that it deals. */
  readonly cost: number
  /** Rows put in. */
  readonly rows: number
  /** Never rejects. */
  run(turn: Turn): Promise<void>
}

/** The scheduler's time; tests have one of their own. */
export interface Clock {
  /** Milliseconds, never going back. */
  now(): number
  /** Calls back once input and output had a turn. */
  soon(act: () => void): void
  /** Calls back after so many milliseconds, unless what it returns is called. */
  after(ms: number, act: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  soon: (act) => void setImmediate(act),
  after: (ms, act) => {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}

export interface SchedulerOptions extends Partial<BacklogLimits> {
  clock?: Clock
  /** Deals of each kind under way at a time: one computes while another waits for its products. */
  atOnce?: number
  sliceMs?: number
}

/** What one turn in the round adds: about a row of a small decoder, and about a short prompt of one. */
const QUANTUM = { row: 4 << 20, prompt: 32 << 20 }

/** Slices of rows in a run while a prompt waits for one: prompts go on, however many replies are being written. */
const ROWS_IN_A_RUN = 8

type Kind = 'row' | 'prompt'
type Waiting = RoundRobin<Job, RoundRobin<Job, Line<Job>>>

const roundsOf = (quantum: number): Waiting =>
  new RoundRobin(quantum, () => new RoundRobin(quantum, () => new Line<Job>()))

export class Scheduler {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #atOnce: number
  readonly #backlog: Backlog
  /** The first deal of every session that has none under way. */
  readonly #waiting: Record<Kind, Waiting> = { row: roundsOf(QUANTUM.row), prompt: roundsOf(QUANTUM.prompt) }
  readonly #stages: Record<Kind, Stage> = { row: new Stage(), prompt: new Stage() }
  /** Each session's deals, in order; the first one is among the waiting, or under way. */
  readonly #sessions = new Map<string, Job[]>()
  #rowsInARun = 0
  #sliceBegin = 0
  #isRunning = false
  #isPlanned = false
  #control = 0
  /** Begins the slice that waits for control. */
  #endGrace: (() => void) | undefined

  constructor({ clock = systemClock, atOnce = 2, sliceMs = 8, ...bounds }: SchedulerOptions = {}) {
    this.#clock = clock
    this.#atOnce = atOnce
    this.#sliceMs = sliceMs
    this.#backlog = new Backlog(bounds)
  }

  /** Throws `SessionError` `busy`, with when to ask again, where too much waits already for one more deal of `peer`. */
  check(peer: string): void {
    this.#backlog.check(peer)
  }

  /** Queues a deal. */
  submit(deal: Job): void {
    this.#backlog.add(deal)
    const deals = this.#sessions.get(deal.session)
    if (deals) deals.push(deal)
    else {
      this.#sessions.set(deal.session, [deal])
      this.#enter(deal)
    }
    this.#plan()
  }

  /** Forgets what a session has queued; what is under way ends by itself. */
  drop(session: string): void {
    const deals = this.#sessions.get(session)
    if (!deals) return
    const [first] = deals
    const line = this.#waiting[kindOf(first)].known(first.peer)?.known(session)
    const dropped = line && !line.isEmpty ? deals.splice(0) : deals.splice(1)
    line?.clear()
    for (const deal of dropped) this.#backlog.remove(deal)
    if (deals.length === 0) this.#sessions.delete(session)
  }

  /** Does what opens or ends sessions: at most every other slice is dealing meanwhile. */
  async control<T>(work: () => Promise<T>): Promise<T> {
    this.#control++
    try {
      return await work()
    } finally {
      if (--this.#control === 0) this.#endGrace?.()
    }
  }

  /** Deals that wait to begin. */
  get queued(): number {
    return this.#backlog.count
  }

  #enter(deal: Job): void {
    this.#waiting[kindOf(deal)].flow(deal.peer).flow(deal.session).push(deal)
  }

  /** The next slice begins after input and output had a turn, and control work a slice's time. */
  #plan(): void {
    if (this.#isRunning || this.#isPlanned) return
    this.#isPlanned = true
    this.#clock.soon(() => {
      if (this.#control === 0) return this.#slice()
      const begin = () => {
        this.#endGrace = undefined
        this.#slice()
      }
      const cancel = this.#clock.after(this.#sliceMs, begin)
      this.#endGrace = () => {
        cancel()
        begin()
      }
    })
  }

  #slice(): void {
    this.#isPlanned = false
    for (const kind of ['row', 'prompt'] as const) this.#begin(kind)
    const { row, prompt } = this.#stages
    const isPromptsTurn = prompt.isReady && (!row.isReady || this.#rowsInARun >= ROWS_IN_A_RUN)
    const go = (isPromptsTurn ? prompt : row).take()
    if (!go) return
    this.#rowsInARun = isPromptsTurn ? 0 : this.#rowsInARun + 1
    this.#isRunning = true
    this.#sliceBegin = this.#clock.now()
    go()
  }

  #begin(kind: Kind): void {
    const stage = this.#stages[kind]
    while (stage.places < this.#atOnce) {
      const deal = this.#waiting[kind].shift()
      if (!deal) return
      this.#backlog.remove(deal)
      stage.places++
      stage.add(() => void this.#run(deal, stage))
    }
  }

  async #run(deal: Job, stage: Stage): Promise<void> {
    let usedMs = 0
    const leave = () => {
      usedMs += this.#clock.now() - this.#sliceBegin
      this.#leave()
    }
    await deal.run(this.#turn(stage, leave))
    leave()
    stage.places--
    this.#backlog.dealt(deal.cost, usedMs)
    const deals = this.#sessions.get(deal.session)
    deals?.shift()
    if (deals?.length) this.#enter(deals[0])
    else this.#sessions.delete(deal.session)
  }

  /** @param leave the deal gives the thread away */
  #turn(stage: Stage, leave: () => void): Turn {
    const nextSlice = () => new Promise<void>((resolve) => stage.add(resolve))
    /** Gives the thread away where `result` is not there within a turn of the event loop. */
    const away = async <T>(result: Promise<T>, places: number): Promise<T> => {
      let isThere = false
      const there = () => {
        isThere = true
      }
      const settled = result.then(there, there)
      await Promise.race([settled, new Promise<void>((resolve) => this.#clock.soon(resolve))])
      if (isThere) return result
      stage.places -= places
      leave()
      await settled
      stage.places += places
      const begun = nextSlice()
      this.#plan()
      await begun
      return result
    }
    return {
      next: async () => {
        if (this.#clock.now() - this.#sliceBegin < this.#sliceMs) return
        const begun = nextSlice()
        leave()
        await begun
      },
      computing: (result) => away(result, 0),
      waiting: (result) => away(result, 1),
    }
  }

  #leave(): void {
    this.#isRunning = false
    this.#plan()
  }
}

const kindOf = ({ rows }: Job): Kind => (rows <= 1 ? 'row' : 'prompt')
