import { expect, test } from 'vitest'
import { nextBatch, type Waiting } from './batches.ts'

const asked = (...texts: [place: number, tokens: number][]): Waiting[] =>
  texts.map(([place, tokens]) => ({ place, tokens }))
const placesOf = (batch: readonly Waiting[]) => batch.map(({ place }) => place)

test('neighbours of whoever has waited longest are read with it, and rows that are longer wait', () => {
  const waiting = asked([5, 1], [1, 1], [0, 1], [2, 1])
  expect(placesOf(nextBatch(waiting, false))).toEqual([5])
  expect(placesOf(nextBatch(waiting.slice(1), false))).toEqual([0, 1, 2])
  expect(nextBatch([], false)).toEqual([])
})

test('prompts and replies take turns', () => {
  const waiting = asked([0, 90], [1, 1], [2, 1])
  expect(placesOf(nextBatch(waiting, true))).toEqual([0])
  expect(placesOf(nextBatch(waiting, false))).toEqual([1, 2])
  expect(placesOf(nextBatch(waiting.slice(0, 1), false))).toEqual([0])
})
