import type { PartyPass } from '../../../src/protections/shared/runners/party.ts'
import type { Schedule } from '../../../src/protections/shared/schedule.ts'
import type { Role } from '../../../src/protections/shared/values.ts'

/** Runs both parties of a pass in turns; resolves with the messages. */
export function exchange(s: Schedule, owner: PartyPass, server: PartyPass): Uint8Array[] {
  const messages: Uint8Array[] = []
  const parties = { owner, server }
  const at = { owner: 0, server: 0 }
  /** Runs a party until it has sent message `until`, or has nothing left. */
  const run = (role: Role, until: number): void => {
    for (const program = s.programs[role]; at[role] < program.length; ) {
      const i = program[at[role]++]
      if (i.kind === 'run') parties[role].runStep(i.step.id)
      else if (i.kind === 'receive') parties[role].accept(i.message, messages[i.message])
      else {
        messages[i.message] = parties[role].compose(i.message)
        if (i.message === until) return
      }
    }
  }
  for (const [i, m] of s.messages.entries()) run(m.from, i)
  run('owner', -1)
  run('server', -1)
  return messages
}
