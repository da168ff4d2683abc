/** A value that several tabs may set: the last one who did decides, and everybody agrees on who that was. */

export interface Register<T extends string | number | boolean> {
  readonly value: T
  /** When it was set; 0 for what nobody has set. */
  readonly at: number
}

/** Sets it so that it wins over what was there, whatever the clock says. */
export const setRegister = <T extends string | number | boolean>(
  before: Register<T> | undefined,
  value: T,
  now = Date.now(),
): Register<T> => ({ value, at: Math.max(now, (before?.at ?? 0) + 1) })

/** The later of two: commutative, associative and idempotent; at the same time, the greater value. */
export function mergeRegisters<T extends string | number | boolean>(
  a: Register<T>,
  b: Register<T>,
): Register<T> {
  if (a.at !== b.at) return a.at > b.at ? a : b
  return a.value >= b.value ? a : b
}

/** Two records, entry by entry; the very first one where the other adds nothing. */
export function mergeRecords<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  merge: (a: T, b: T) => T,
): Readonly<Record<string, T>> {
  let merged: Record<string, T> | undefined
  for (const [key, theirs] of Object.entries(b)) {
    const value = Object.hasOwn(a, key) ? merge(a[key], theirs) : theirs
    if (value === a[key]) continue
    merged ??= { ...a }
    merged[key] = value
  }
  return merged ?? a
}
