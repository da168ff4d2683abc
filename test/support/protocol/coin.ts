import type { Audits } from '../../../src/protections/shared/session/audit.ts'

/** A coin for audits that falls as it is told, then never again; rehearsals go on for `more` passes of a reply. `behind`: how it falls for passes that go on behind others. */
export function coin(falls: readonly boolean[], more = 0, behind: readonly boolean[] = []): Audits {
  const [left, later] = [[...falls], [...behind]]
  let on = 0
  return {
    isNext: () => {
      on = more
      return left.shift() ?? false
    },
    isBehind: () => later.shift() ?? false,
    goesOn: () => on-- > 0,
    isSigned: async () => true,
    dealer: 'https://dealer.example',
  }
}
