import { expect, test } from 'vitest'
import { forPeople } from './run.ts'

test('a text cannot command the terminal that shows it', () => {
  const label = 'good\u001b[2J'
  const line = forPeople(
    { label, probabilities: [{ label, probability: 0.5 }], isCut: false },
    'a\u001b]0;title\u0007\r\nb \u009b31m \u202etxet\u202c 👩‍🚀 é',
  )
  expect(line).toBe(' 50.0 %  good[2J  a]0;title b 31m txet 👩‍🚀 é')
})
