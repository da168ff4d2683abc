import { describe, expect, it } from 'vitest'
import { count, type Layout, rowCount, span } from './shape.ts'

const layouts: Layout[] = ['row', 'pair', 'last', 'lastPair']

describe.each([
  ['causal', { base: 2, rows: 5, serial: 0 }],
  ['bidirectional', { base: 0, rows: 5, serial: 0, seen: 5 }],
])('a %s pass', (_, shape) => {
  it.each(layouts)('has as many elements of layout %s as its rows together', (layout) => {
    let sum = 0
    for (let r = 0; r < shape.rows; r++) sum += rowCount(shape, r, layout, 3)
    expect(count(shape, layout, 3)).toBe(sum)
  })
})

it('a row sees the rows before it, or all of them', () => {
  const shape = { base: 2, rows: 5, serial: 0 }
  expect([0, 4].map((row) => span(shape, row))).toEqual([3, 7])
  expect([0, 4].map((row) => span({ ...shape, base: 0, seen: 5 }, row))).toEqual([5, 5])
})
