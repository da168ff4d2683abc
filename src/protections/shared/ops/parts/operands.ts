/** What programs over lanes are given of a pass: which bits a party's packed parts have, role by role. */
import { maskWidth } from '../../correlations/keystreams.ts'
import type { Role, UnderMask } from '../../values.ts'

/** Bits that each value takes in `PartyContext.maskWords`. */
export const maskBits = (value: UnderMask): number => 8 * maskWidth(value)

/** Something for each role, made when it is first needed. */
export function perRole<T>(make: (role: Role) => T): (role: Role) => T {
  const made: Partial<Record<Role, T>> = {}
  return (role) => {
    made[role] ??= make(role)
    return made[role] as T
  }
}
