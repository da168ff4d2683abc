import type { Ranges } from './ranges.ts'

/** Ranges that hold what either holds: intervals grow at both ends, all other numbers are maxima. */
export function mergeRanges(a: Ranges, b: Ranges): Ranges {
  return merged(a, b) as Ranges
}

function merged(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return Math.max(a, b)
  if (isInterval(a) && isInterval(b)) return [Math.min(a[0], b[0]), Math.max(a[1], b[1])]
  if (Array.isArray(a) && Array.isArray(b)) return a.map((item, i) => merged(item, b[i]))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a ?? b
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  return Object.fromEntries(
    keys.map((key) => [
      key,
      merged((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    ]),
  )
}

const isInterval = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((n) => typeof n === 'number')
