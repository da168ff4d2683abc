/** A pass of both parties in one process. */

import type { PartyPass } from '../runners/party.ts'
import type { Schedule } from '../schedule.ts'
import type { Role } from '../values.ts'

/** Runs both parties of a pass in turns to its end; returns the messages that crossed, by their place in the schedule. */
export function exchange(order: Schedule, parties: Record<Role, PartyPass>): Uint8Array[] {
  const messages: Uint8Array[] = []
  const at = { owner: 0, server: 0 }
  /** Runs a party until it has sent message `until`, or has nothing left. */
  const run = (role: Role, until: number): void => {
    const program = order.programs[role]
    while (at[role] < program.length) {
      const i = program[at[role]++]
      if (i.kind === 'run') parties[role].runStep(i.step.id)
      else if (i.kind === 'receive') parties[role].accept(i.message, messages[i.message])
      else {
        messages[i.message] = parties[role].compose(i.message)
        if (i.message === until) return
      }
    }
  }
  order.messages.forEach((m, i) => {
    run(m.from, i)
  })
  run('owner', -1)
  run('server', -1)
  return messages
}
