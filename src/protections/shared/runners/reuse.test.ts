import { expect, it } from 'vitest'
import { Trial } from '../../../../test/support/protocol/plans.ts'
import { add } from '../ops/add.ts'
import { addBias } from '../ops/add-bias.ts'
import { addConstant } from '../ops/add-constant.ts'
import { gate } from '../ops/gate.ts'
import { open } from '../ops/open.ts'
import { positive } from '../ops/positive.ts'
import type { Share } from '../values.ts'
import { Reuse } from './reuse.ts'

const LARGE = 1 << 16

it('hands out what it was given back, and nothing that is not its own or was given back before', () => {
  const memory = new Reuse()
  const first = new Uint8Array(memory.take(LARGE))
  memory.give(new Uint8Array(LARGE))
  expect(memory.take(LARGE)).not.toBe(first.buffer)
  memory.give(first)
  memory.give(first)
  expect(memory.take(LARGE + 8)).not.toBe(first.buffer)
  expect(memory.take(LARGE)).toBe(first.buffer)
  expect(memory.take(LARGE)).not.toBe(first.buffer)
})

it('leaves small arrays to the engine, and keeps no more than a layer needs', () => {
  const memory = new Reuse()
  expect(memory.has(new Uint8Array(memory.take(100)))).toBe(false)
  const many = Array.from({ length: 9 }, () => new Uint8Array(memory.take(4 << 20)))
  for (const array of many) memory.give(array)
  const again = new Set(many.map(() => memory.take(4 << 20)))
  expect(many.filter(({ buffer }) => again.has(buffer as ArrayBuffer))).toHaveLength(8)
})

it('passes that forget what they have read make what those make that keep it, values in shared memory included', () => {
  const shape = { base: 0, rows: 64, serial: 0 }
  const width = 64
  const values = Array.from({ length: shape.rows * width }, (_, i) => ((i * 37) % 400) - 200)
  const run = (forgets: boolean) => {
    let last!: Share
    const trial = new Trial(
      (plan, given) => {
        const x = given(values, { ring: 20, width })
        const raised = addConstant(plan, x, 5n)
        // The owner's share of the sum is its share of what is added to.
        const biased = addBias(plan, raised, 'b')
        const opened = open(plan, biased, { bits: 16, lift: 20 })
        const sign = open(plan, positive(plan, opened), { bits: 1 })
        const next = addConstant(plan, addConstant(plan, x, 9n), 11n)
        const gated = gate(plan, opened, sign, 20)
        // What is dealt for it lies where masks and dealt values of the first gate were.
        const again = gate(plan, open(plan, next, { bits: 16, lift: 20 }), sign, 20)
        last = add(plan, add(plan, add(plan, gated, again), next), biased)
      },
      { shape, forgets, biases: { b: values.slice(0, width) } },
    )
    if (!forgets) expect(trial.complaints).toEqual([])
    return trial.integers(last)
  }
  expect(run(true)).toEqual(run(false))
})
