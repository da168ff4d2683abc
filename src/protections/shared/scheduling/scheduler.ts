/**
 * Who may use a party's thread, the dealer's or the model server's: what opens and ends sessions first, then passes of one row, then prompts. Of each kind
 * few are under way at a time, in slices of a few milliseconds; which begins next goes by address, then session, by
 * declared cost.
 */
import type { Job, PassScheduler, Turn } from '../session/turn.ts'
import { Backlog, type BacklogLimits } from './backlog.ts'
import { Line, RoundRobin } from './round-robin.ts'
import { Stage } from './stage.ts'

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
  /** Jobs of each kind under way at a time: one computes while another waits for its products. */
  atOnce?: number
  sliceMs?: number
  /** Where nobody else wants the thread, a job has it at once: for jobs that are many and short. */
  isEager?: boolean
}

/** What one turn in the round adds: about a row of a small decoder, and about a short prompt of one. */
const QUANTUM = { row: 4 << 20, prompt: 32 << 20 }

/** Slices of rows in a run while a prompt waits for one: prompts go on, however many replies are being written. */
const ROWS_IN_A_RUN = 8

type Kind = 'row' | 'prompt'
type Waiting = RoundRobin<Job, RoundRobin<Job, Line<Job>>>

const roundsOf = (quantum: number): Waiting =>
  new RoundRobin(quantum, () => new RoundRobin(quantum, () => new Line<Job>()))

export class Scheduler implements PassScheduler {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #isEager: boolean
  readonly #atOnce: number
  readonly #backlog: Backlog
  /** The first job of every session that has none under way. */
  readonly #waiting: Record<Kind, Waiting> = { row: roundsOf(QUANTUM.row), prompt: roundsOf(QUANTUM.prompt) }
  readonly #stages: Record<Kind, Stage> = { row: new Stage(), prompt: new Stage() }
  /** Each session's jobs, in order; the first one is among the waiting, or under way. */
  readonly #sessions = new Map<string, Job[]>()
  #rowsInARun = 0
  #sliceBegin = 0
  /** Places that are taken, and how long any was since a job was done last. */
  #taken = 0
  #takenSince = 0
  #busyMs = 0
  #isRunning = false
  #isPlanned = false
  #control = 0
  /** Begins the slice that waits for control. */
  #endGrace: (() => void) | undefined

  constructor({
    clock = systemClock,
    atOnce = 2,
    sliceMs = 8,
    isEager = false,
    ...bounds
  }: SchedulerOptions = {}) {
    this.#clock = clock
    this.#atOnce = atOnce
    this.#sliceMs = sliceMs
    this.#isEager = isEager
    this.#backlog = new Backlog(bounds)
  }

  /** Throws `SessionError` `busy`, with when to ask again, where too much waits already for one more job of `peer`. */
  check(peer: string): void {
    this.#backlog.check(peer)
  }

  /** Queues a job. */
  submit(job: Job): void {
    this.#backlog.add(job)
    const jobs = this.#sessions.get(job.session)
    if (jobs) jobs.push(job)
    else {
      this.#sessions.set(job.session, [job])
      this.#enter(job)
    }
    this.#wake()
  }

  /** Forgets what a session has queued; what is under way ends by itself. */
  drop(session: string): void {
    const jobs = this.#sessions.get(session)
    if (!jobs) return
    const [first] = jobs
    const line = this.#waiting[kindOf(first)].known(first.peer)?.known(session)
    const dropped = line && !line.isEmpty ? jobs.splice(0) : jobs.splice(1)
    line?.clear()
    for (const job of dropped) this.#backlog.remove(job)
    if (jobs.length === 0) this.#sessions.delete(session)
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

  /** Jobs that wait to begin. */
  get queued(): number {
    return this.#backlog.count
  }

  #enter(job: Job): void {
    this.#waiting[kindOf(job)].flow(job.peer).flow(job.session).push(job)
  }

  #wake(): void {
    if (this.#isEager && !this.#isRunning && !this.#isPlanned && this.#control === 0) this.#slice()
    else this.#plan()
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
      const job = this.#waiting[kind].shift()
      if (!job) return
      this.#backlog.remove(job)
      this.#take(stage, 1)
      stage.add(() => void this.#run(job, stage))
    }
  }

  /** Takes or gives back places: while all are free, or their jobs wait for others, nothing is being done. */
  #take(stage: Stage, places: number): void {
    const now = this.#clock.now()
    if (this.#taken > 0) this.#busyMs += now - this.#takenSince
    this.#takenSince = now
    stage.places += places
    this.#taken += places
  }

  async #run(job: Job, stage: Stage): Promise<void> {
    const leave = () => this.#leave()
    await job.run(this.#turn(stage, leave))
    leave()
    this.#take(stage, -1)
    this.#backlog.dealt(job.cost, this.#busyMs)
    this.#busyMs = 0
    const jobs = this.#sessions.get(job.session)
    jobs?.shift()
    if (jobs?.length) this.#enter(jobs[0])
    else this.#sessions.delete(job.session)
  }

  /** @param leave the job gives the thread away */
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
      this.#take(stage, -places)
      leave()
      await settled
      this.#take(stage, places)
      const begun = nextSlice()
      this.#wake()
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
