/** One party's run of a whole pass: its row chunks side by side, each as far as the messages it has let it go. */
import { joined } from '../correlations/rope.ts'
import { type Instruction, messageBytes, type Schedule } from '../schedule.ts'
import { type Shape, spanOf } from '../shape.ts'
import type { Step } from '../step.ts'
import type { Role } from '../values.ts'
import type { PartyPass } from './party.ts'

/** Declared payload bytes of what a pass sends ahead, all row chunks together. */
export const aheadBytes = ({ messages }: Schedule, rowChunks: readonly Shape[]): number =>
  rowChunks.reduce((sum, shape) => sum + messageBytes(shape, messages[0]), 0)

interface Turn {
  readonly rowChunk: number
  readonly instruction: Instruction
}

/** What a session does around the instructions of a pass. */
export interface PassHooks {
  /** Called before a step runs, where something has to be fetched for it. */
  before?(rowChunk: number, step: Step): Promise<void>
  /** Awaits products that are made elsewhere. */
  products?(made: Promise<void>): Promise<void>
  /** `isLast` says that the pass cannot go on until the other party answers, or is over. */
  send(rowChunk: number, message: number, payload: Uint8Array, isLast: boolean): Promise<void>
}

/**
 * Messages by which a row chunk may be ahead of the other: row chunks take turns, so it is one of each party at most.
 */
const LEAD = 2

const awaited = (made: Promise<void>): Promise<void> => made

/**
 * A pass as its row chunks, which may be one. All run the same schedule; a step that reads rows of all
 * positions waits for those of the other row chunks.
 */
export class PipelinedPass {
  readonly rowChunks: readonly PartyPass[]
  /** A row chunk's program: a message that would be empty, because none of its steps is about its rows, is left out. */
  readonly #programs: readonly (readonly Instruction[])[]
  readonly #at: number[]
  /** Steps that each row chunk has run. */
  readonly #ran: readonly Set<number>[]
  #current = 0

  constructor(schedule: Schedule, role: Role, rowChunks: readonly PartyPass[]) {
    this.rowChunks = rowChunks
    this.#programs = rowChunks.map(({ shape }) => {
      const isEmpty = schedule.messages.map((m) => !m.ahead && messageBytes(shape, m) === 0)
      return schedule.programs[role].filter((i) => i.kind === 'run' || !isEmpty[i.message])
    })
    this.#at = rowChunks.map(() => 0)
    this.#ran = rowChunks.map(() => new Set())
  }

  /** The owner's message before its input is known: all row chunks' parts of it. */
  composeAhead(): Uint8Array {
    const parts = this.rowChunks.map((party, rowChunk) => {
      for (;;) {
        const turn = this.#turn(rowChunk)
        if (!turn) throw new RangeError('nothing is sent ahead')
        const { instruction } = turn
        if (instruction.kind === 'run') party.runStep(instruction.step.id)
        this.#done(turn)
        if (instruction.kind === 'send') return party.compose(instruction.message)
      }
    })
    return joined(parts)
  }

  /**
   * Takes that message at the server, and gives each row chunk its part. Throws `MessageError` where it is too short.
   */
  acceptAhead(payload: Uint8Array, schedule: Schedule): void {
    let from = 0
    for (const [rowChunk, party] of this.rowChunks.entries()) {
      const to = from + messageBytes(party.shape, schedule.messages[0])
      party.accept(0, payload.subarray(from, to))
      this.#at[rowChunk]++
      from = to
    }
  }

  /** The message that a row chunk waits for, if it does. */
  awaited(rowChunk: number): number | undefined {
    const i = this.#programs[rowChunk]?.[this.#at[rowChunk]]
    return i?.kind === 'receive' ? i.message : undefined
  }

  /**
   * Whether a row chunk waits for a message that no honest party sends yet, because the other row chunk is too far
   * behind it: what was dealt for that one would have to be kept meanwhile.
   */
  isAhead(rowChunk: number): boolean {
    const own = this.awaited(rowChunk) ?? 0
    return this.rowChunks.some((_, other) => own > (this.awaited(other) ?? own) + LEAD)
  }

  /** Takes the message that a row chunk waits for. Throws `MessageError` when its length is not the declared one. */
  accept(rowChunk: number, payload: Uint8Array): void {
    const message = this.awaited(rowChunk)
    if (message === undefined) throw new RangeError(`row chunk ${rowChunk} awaits nothing`)
    this.rowChunks[rowChunk].accept(message, payload)
    this.#at[rowChunk]++
  }

  /** Whether every row chunk has done all of its instructions. */
  get isOver(): boolean {
    return this.#programs.every((program, rowChunk) => this.#at[rowChunk] === program.length)
  }

  /** Does all that can be done without another message. */
  async go(hooks: PassHooks): Promise<void> {
    for (let turn = this.#next(); turn; turn = this.#next()) {
      const { rowChunk, instruction } = turn
      const party = this.rowChunks[rowChunk]
      if (instruction.kind === 'run') {
        const { step } = instruction
        await hooks.before?.(rowChunk, step)
        if (step.products) await (hooks.products ?? awaited)(party.multiplyAhead(step))
        party.runStep(step.id)
        this.#done(turn)
      } else if (instruction.kind === 'send') {
        const payload = party.compose(instruction.message)
        this.#done(turn)
        await hooks.send(rowChunk, instruction.message, payload, this.#next() === undefined)
      }
    }
  }

  /** A row chunk goes on for as long as it can; after it the first one that can. */
  #next(): Turn | undefined {
    const order = [this.#current, ...this.rowChunks.keys()]
    for (const rowChunk of order) {
      const turn = this.#turn(rowChunk)
      if (!turn) continue
      this.#current = rowChunk
      return turn
    }
    return undefined
  }

  #turn(rowChunk: number): Turn | undefined {
    const instruction = this.#programs[rowChunk][this.#at[rowChunk]]
    if (!instruction || instruction.kind === 'receive') return undefined
    if (instruction.kind === 'run' && !this.#hasRows(rowChunk, instruction.step)) return undefined
    return { rowChunk, instruction }
  }

  /** Whether all rows that a step reads of other row chunks are there. */
  #hasRows(rowChunk: number, { attends }: Step): boolean {
    if (!attends) return true
    const { shape } = this.rowChunks[rowChunk]
    const seen = spanOf(shape)
    return this.rowChunks.every((other, i) => other.shape.base >= seen || this.#ran[i].has(attends.step))
  }

  #done({ rowChunk, instruction }: Turn): void {
    this.#at[rowChunk]++
    if (instruction.kind === 'run') this.#ran[rowChunk].add(instruction.step.id)
  }
}
