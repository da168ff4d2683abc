import type { Schedule } from '../schedule.ts'
import type { Role } from '../values.ts'

const known = new WeakMap<Schedule, Partial<Record<Role, Uint16Array>>>()

/** How many instructions of a party's program read each step's value; the plan's last value counts one more. */
export function usesOf(schedule: Schedule, role: Role): Uint16Array {
  const kept = known.get(schedule) ?? {}
  known.set(schedule, kept)
  kept[role] ??= count(schedule, role)
  return kept[role]
}

function count({ programs, messages }: Schedule, role: Role): Uint16Array {
  const program = programs[role]
  const steps = program.flatMap((i) => (i.kind === 'run' ? [i.step.id] : []))
  const last = Math.max(...steps)
  const uses = new Uint16Array(last + 1)
  uses[last] = 1
  for (const i of program) {
    if (i.kind === 'run' && i.step.out.kind === 'released' && i.step.id < last) uses[i.step.id]++
    const readers = i.kind === 'run' ? [i.step] : i.kind === 'send' ? messages[i.message].steps : []
    for (const reader of readers) for (const value of reader.needs[role]) uses[value.step]++
  }
  return uses
}
