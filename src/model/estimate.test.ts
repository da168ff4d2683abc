import { expect, test } from 'vitest'
import { Estimate, spokenPace } from './estimate.ts'

test('what takes no second is not spoken of, and what takes longer is now and then', () => {
  let now = 5000
  const estimate = new Estimate(2000, () => now)
  const said = [0, 900, 1000, 1500, 2900, 3000, 9000, 10_000].map((ms) => {
    now = 5000 + ms
    const pace = estimate.at(ms, 10_000)
    return pace && spokenPace(pace)
  })
  expect(said).toEqual([
    undefined,
    undefined,
    '10 %, 9 s left',
    undefined,
    undefined,
    '30 %, 7 s left',
    '90 %, 1 s left',
    undefined,
  ])
  now += 1e6
  expect(spokenPace(estimate.at(1, 11)!)).toBe('9 %, 3 h left')
})
