import { expect, it } from 'vitest'
import { makeCanaries } from './canaries.ts'

const plan = { repetitions: [1, 3], perGroup: 2, references: 50, digits: 5, seed: 1 }

it('codes are all different, and occur as often as asked', () => {
  const { groups, references, inserted } = makeCanaries(plan)
  expect(groups.map(({ repetitions, canaries }) => [repetitions, canaries.length])).toEqual([
    [1, 2],
    [3, 2],
  ])
  expect(references).toHaveLength(50)
  const count = (id: string) => inserted.filter((dialogue) => dialogue.id === id).length
  expect(groups.flatMap(({ canaries }) => canaries.map(({ id }) => count(id)))).toEqual([1, 1, 3, 3])
  const texts = [...groups.flatMap(({ canaries }) => canaries), ...references].map(
    ({ turns }) => turns[0].text,
  )
  expect(new Set(texts).size).toBe(54)
  for (const text of texts) expect(text).toMatch(/^My code is \d( \d){4} and/)
  expect(inserted.some(({ id }) => references.some((reference) => reference.id === id))).toBe(false)
})

it('refuses more codes than can be secrets', () => {
  expect(() => makeCanaries({ ...plan, digits: 2 })).toThrow('too many')
})
