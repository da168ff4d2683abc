/**
 * Who runs which step when, and what each message carries. The rule is greedy and the same at both parties: on its turn
 * a party has run every step whose inputs it holds, and sends its half of every message step that is ready. Messages
 * alternate; what the owner can send before it knows the input is sent ahead, and costs no hop.
 */
import { costOf } from './cost.ts'
import type { Plan } from './plan.ts'
import type { Shape } from './shape.ts'
import type { Step } from './step.ts'
import type { Role } from './values.ts'

/** What one party says at once. */
export interface Message {
  readonly from: Role
  /** Before the input exists: not part of the chain of hops. */
  readonly ahead: boolean
  /** Steps whose halves it carries, in order. */
  readonly steps: readonly Step[]
}

/** One thing that a party does: run a step, or send or receive a message by its place among `messages`. */
export type Instruction =
  | { readonly kind: 'run'; readonly step: Step }
  | { readonly kind: 'send' | 'receive'; readonly message: number }

/** What each party does in order; the same at every party, for it follows from the plan. */
export interface Schedule {
  readonly messages: readonly Message[]
  readonly programs: Readonly<Record<Role, readonly Instruction[]>>
  /** Sequential one-way messages, first and last included. */
  readonly hops: number
}

const sends = (step: Step, role: Role): boolean => step.wire?.from === 'both' || step.wire?.from === role
const awaits = (step: Step, role: Role): boolean => step.wire !== undefined && step.wire.from !== role

class Side {
  readonly program: Instruction[] = []
  readonly #role: Role
  readonly #done = new Set<number>()
  readonly #sent = new Set<Step>()
  readonly #received = new Set<Step>()

  constructor(role: Role) {
    this.#role = role
  }

  /** Runs every step that it can, in plan order. */
  advance(steps: readonly Step[], skip?: Step): void {
    for (const step of steps) {
      if (step === skip || this.#done.has(step.id) || !this.#has(step)) continue
      if (awaits(step, this.#role) && !this.#received.has(step)) continue
      this.#done.add(step.id)
      this.program.push({ kind: 'run', step })
    }
  }

  /** Message steps whose half is ready and not sent yet. */
  take(steps: readonly Step[], skip?: Step): Step[] {
    const ready = steps.filter(
      (s) => s !== skip && sends(s, this.#role) && !this.#sent.has(s) && this.#has(s),
    )
    for (const step of ready) this.#sent.add(step)
    return ready
  }

  receive(steps: readonly Step[]): void {
    for (const step of steps) this.#received.add(step)
  }

  finished(steps: readonly Step[]): boolean {
    return steps.every((s) => this.#done.has(s.id) && (this.#sent.has(s) || !sends(s, this.#role)))
  }

  #has(step: Step): boolean {
    return step.needs[this.#role].every((v) => this.#done.has(v.step))
  }
}

/** The schedule of a plan. Throws `RangeError` on a plan that cannot finish. */
export function schedule(plan: Plan): Schedule {
  const { steps } = plan
  const sides = { owner: new Side('owner'), server: new Side('server') }
  const messages: Message[] = []
  const pass = (from: Role, ahead: boolean, skip?: Step): void => {
    const to = from === 'owner' ? 'server' : 'owner'
    sides[from].advance(steps, skip)
    const carried = sides[from].take(steps, skip)
    const message = messages.length
    messages.push({ from, ahead, steps: carried })
    sides[from].program.push({ kind: 'send', message })
    sides[to].program.push({ kind: 'receive', message })
    sides[to].receive(carried)
  }
  const input = steps.find((s) => s.isInput)
  pass('owner', true, input)
  for (let from: Role = 'owner'; ; from = from === 'owner' ? 'server' : 'owner') {
    pass(from, false)
    if (messages[messages.length - 1].steps.length === 0)
      throw new RangeError('schedule: the plan cannot go on')
    sides.owner.advance(steps)
    sides.server.advance(steps)
    if (sides.owner.finished(steps) && sides.server.finished(steps)) break
  }
  const programs = { owner: sides.owner.program, server: sides.server.program }
  return { messages, programs, hops: messages.filter((m) => !m.ahead).length }
}

/** Declared payload bytes of a message. */
export const messageBytes = (shape: Shape, { from, steps }: Message): number =>
  steps.reduce((sum, step) => sum + costOf(shape, step)[from === 'owner' ? 'up' : 'down'] / 8, 0)
