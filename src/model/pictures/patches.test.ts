import { expect, test } from 'vitest'
import { joinPatches, patchesOf } from './patches.ts'
import type { TowerConfig } from './tower.ts'

const config: TowerConfig = {
  ...{ dim: 8, layers: 1, heads: 1, ff: 8, eps: 1e-6, activation: 'relu' },
  ...{ picture: 4, patch: 2, channels: 2 },
}

test('patches go from left to right and from above, each channel by channel', () => {
  const pixels = Array.from({ length: 32 }, (_, i) => i)
  const patches = patchesOf(pixels, config, { mean: [0, 0], std: [1 / 255, 1 / 255] })
  expect(patches.map((patch) => [...patch].map(Math.round))).toEqual([
    [0, 1, 4, 5, 16, 17, 20, 21],
    [2, 3, 6, 7, 18, 19, 22, 23],
    [8, 9, 12, 13, 24, 25, 28, 29],
    [10, 11, 14, 15, 26, 27, 30, 31],
  ])
  expect([...joinPatches(patches, config)].map(Math.round)).toEqual(pixels)
})

test('each channel is normalised by its own mean and deviation', () => {
  const [first] = patchesOf(new Array(32).fill(51), config, { mean: [0.2, 0], std: [1, 0.1] })
  expect(first[0]).toBeCloseTo(0, 6)
  expect(first[4]).toBeCloseTo(2, 6)
})
