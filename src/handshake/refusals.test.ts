import { expect, test } from 'vitest'
import { Refusals } from './refusals.ts'

test('a flood of refusals is a few lines, which say how many there were', () => {
  let now = 0
  const lines: object[] = []
  const refusals = new Refusals({ info: (line: object) => void lines.push(line) } as never, () => now)
  for (let n = 0; n < 1000; n++) refusals.say('malformed', 'request refused')
  refusals.say('expired', 'request refused')
  expect(lines).toHaveLength(11)
  now = 10_000
  refusals.say('malformed', 'request refused')
  expect(lines.at(-1)).toEqual({ code: 'malformed', unsaid: 990 })
})
