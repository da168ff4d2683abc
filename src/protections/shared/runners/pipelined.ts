/** One party's run of a whole pass: its bands side by side, each as far as the messages it has let it go. */
import { joined } from '../correlations/pieces.ts'
import { type Instruction, messageBytes, type Schedule } from '../schedule.ts'
import { type Shape, spanOf } from '../shape.ts'
import type { Step } from '../step.ts'
import type { Role } from '../values.ts'
import type { PartyPass } from './party.ts'

/** Declared payload bytes of what a pass sends ahead, all bands together. */
export const aheadBytes = ({ messages }: Schedule, bands: readonly Shape[]): number =>
  bands.reduce((sum, shape) => sum + messageBytes(shape, messages[0]), 0)

interface Turn {
  readonly band: number
  readonly instruction: Instruction
}

/** What a session does around the instructions of a pass. */
export interface PassHooks {
  /** Called before a step runs, where something has to be fetched for it. */
  before?(band: number, step: Step): Promise<void>
  /** `isLast` says that the pass cannot go on until the other party answers, or is over. */
  send(band: number, message: number, payload: Uint8Array, isLast: boolean): Promise<void>
}

/** Messages by which a band may be ahead of the other: bands take turns, so it is one of each party at most. */
const LEAD = 2

export class BandedPass {
  readonly bands: readonly PartyPass[]
  /** A band's program: a message that would be empty, because none of its steps is about its rows, is left out. */
  readonly #programs: readonly (readonly Instruction[])[]
  readonly #at: number[]
  /** Steps that each band has run. */
  readonly #ran: readonly Set<number>[]
  #current = 0

  constructor(schedule: Schedule, role: Role, bands: readonly PartyPass[]) {
    this.bands = bands
    this.#programs = bands.map(({ shape }) => {
      const isEmpty = schedule.messages.map((m) => !m.ahead && messageBytes(shape, m) === 0)
      return schedule.programs[role].filter((i) => i.kind === 'run' || !isEmpty[i.message])
    })
    this.#at = bands.map(() => 0)
    this.#ran = bands.map(() => new Set())
  }

  /** The owner's message before its input is known: all bands' parts of it. */
  composeAhead(): Uint8Array {
    const parts = this.bands.map((party, band) => {
      for (;;) {
        const turn = this.#turn(band)
        if (!turn) throw new RangeError('nothing is sent ahead')
        const { instruction } = turn
        if (instruction.kind === 'run') party.runStep(instruction.step.id)
        this.#done(turn)
        if (instruction.kind === 'send') return party.compose(instruction.message)
      }
    })
    return joined(parts)
  }

  /** The same at the server. Throws `MessageError` where it is too short. */
  acceptAhead(payload: Uint8Array, schedule: Schedule): void {
    let from = 0
    for (const [band, party] of this.bands.entries()) {
      const to = from + messageBytes(party.shape, schedule.messages[0])
      party.accept(0, payload.subarray(from, to))
      this.#at[band]++
      from = to
    }
  }

  /** The message that a band waits for, if it does. */
  awaited(band: number): number | undefined {
    const i = this.#programs[band]?.[this.#at[band]]
    return i?.kind === 'receive' ? i.message : undefined
  }

  /**
   * Whether a band waits for a message that no honest party sends yet, because the other band is too far behind it: what
   * was dealt for that one would have to be kept meanwhile.
   */
  isAhead(band: number): boolean {
    const own = this.awaited(band) ?? 0
    return this.bands.some((_, other) => own > (this.awaited(other) ?? own) + LEAD)
  }

  /** Takes the message that a band waits for. Throws `MessageError` when its length is not the declared one. */
  accept(band: number, payload: Uint8Array): void {
    const message = this.awaited(band)
    if (message === undefined) throw new RangeError(`band ${band} awaits nothing`)
    this.bands[band].accept(message, payload)
    this.#at[band]++
  }

  get isOver(): boolean {
    return this.#programs.every((program, band) => this.#at[band] === program.length)
  }

  /** Does all that can be done without another message. */
  async go(hooks: PassHooks): Promise<void> {
    for (let turn = this.#next(); turn; turn = this.#next()) {
      const { band, instruction } = turn
      const party = this.bands[band]
      if (instruction.kind === 'run') {
        const { step } = instruction
        await hooks.before?.(band, step)
        if (step.products) await party.multiplyAhead(step)
        party.runStep(step.id)
        this.#done(turn)
      } else if (instruction.kind === 'send') {
        const payload = party.compose(instruction.message)
        this.#done(turn)
        await hooks.send(band, instruction.message, payload, this.#next() === undefined)
      }
    }
  }

  /** A band goes on for as long as it can; after it the first one that can. */
  #next(): Turn | undefined {
    const order = [this.#current, ...this.bands.keys()]
    for (const band of order) {
      const turn = this.#turn(band)
      if (!turn) continue
      this.#current = band
      return turn
    }
    return undefined
  }

  #turn(band: number): Turn | undefined {
    const instruction = this.#programs[band][this.#at[band]]
    if (!instruction || instruction.kind === 'receive') return undefined
    if (instruction.kind === 'run' && !this.#hasRows(band, instruction.step)) return undefined
    return { band, instruction }
  }

  /** Whether all rows that a step reads of other bands are there. */
  #hasRows(band: number, { attends }: Step): boolean {
    if (!attends) return true
    const { shape } = this.bands[band]
    const seen = spanOf(shape)
    return this.bands.every((other, i) => other.shape.base >= seen || this.#ran[i].has(attends.step))
  }

  #done({ band, instruction }: Turn): void {
    this.#at[band]++
    if (instruction.kind === 'run') this.#ran[band].add(instruction.step.id)
  }
}
