import { expect, test } from 'vitest'
import { benchConfigs } from '../../../model/random.ts'
import { refuseTooLarge } from './room.ts'

/** The products of a shape's layers, in rings as wide as those of such models. */
function usesOf(shape: keyof typeof benchConfigs, ring: number) {
  const { dim, heads, kvHeads, ff, layers } = benchConfigs[shape]
  const kv = (dim / heads) * kvHeads
  const layer = [
    { k: dim, n: dim + 2 * kv, ring },
    { k: dim, n: dim, ring },
    { k: dim, n: 2 * ff, ring },
    { k: ff, n: dim, ring },
  ]
  return Array.from({ length: layers }, () => layer).flat()
}

test('what no party could hold is refused with how much it is, and what fits is not', () => {
  expect(() => refuseTooLarge('b', usesOf('llama3.2-1b', 50))).toThrow(
    /^The model 'b' has 973 million private weights\. Masked they take 7\.3 GiB, and .* 4\.0 GiB/,
  )
  expect(() => refuseTooLarge('b', usesOf('llama3.2-1b', 32))).not.toThrow()
  expect(() => refuseTooLarge('b', usesOf('qwen2.5-0.5b', 64))).not.toThrow()
})
