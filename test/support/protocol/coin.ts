import type { Audits } from '../../../src/protections/shared/session/audit.ts'

/** A coin for audits that falls as it is told, then never again; rehearsals go on for `more` passes of a reply. */
export function coin(falls: readonly boolean[], more = 0): Audits {
  const left = [...falls]
  let on = 0
  return {
    isNext: () => {
      on = more
      return left.shift() ?? false
    },
    goesOn: () => on-- > 0,
    isSigned: async () => true,
    dealer: 'https://dealer.example',
  }
}
