/** Which values that are opened are not held to the range of their opening: a check that is dropped shows here. */
import { expect, it } from 'vitest'
import {
  type AnyTiny,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../../../../../test/support/protocol/models.ts'
import type { Plan } from '../../plan.ts'
import type { Step } from '../../step.ts'

/** What changes a value's scale or place, and not what it is. */
const PASSING = ['truncate', 'slice', 'addBias', 'addConstant', 'lastRow', 'hidePositions']

/** How many values are opened and not looked at, by the operations that they come from. */
function unchecked({ steps }: Plan): Record<string, number> {
  const looked = new Set(
    steps.filter(({ op }) => ['overflow', 'stray'].includes(op)).map(({ needs }) => needs.owner[1].step),
  )
  const source = ({ op, needs }: Step): string =>
    PASSING.includes(op) ? source(steps[needs.owner[0].step]) : op
  const found: Record<string, number> = {}
  for (const step of steps) {
    if (step.op !== 'open' || looked.has(step.id)) continue
    const from = source(steps[step.needs.owner[0].step])
    found[from] = (found[from] ?? 0) + 1
  }
  return found
}

/** Of two layers: powers and what they are made of, averages, and inverses; what a first norm gives. */
const bounded = { thermometer: 2, belowCap: 2, exponential: 2, sumPositions: 2, mix: 2, product: 2 }
const models: [string, AnyTiny, object, Record<string, number>][] = [
  ['llama', tinyModel(tinyLlama), {}, { ...bounded, inverse: 7, rotary: 4 }],
  [
    'llama, few bytes',
    tinyModel(tinyLlama),
    { goal: 'bytes' },
    { ...bounded, inverse: 7, rotary: 4, activate: 2 },
  ],
  // Queries and keys are multiplied in rings that hold their products, whatever they are.
  ['gpt2', tinyModel(tinyGpt2), {}, { ...bounded, inverse: 7, linearPrivate: 4 }],
  ['bert', tinyEncoder(tinyBert), {}, { ...bounded, inverse: 6, linearPrivate: 4 }],
]

it.each(models)(
  '%s opens no value unseen but those that cannot leave their range',
  (_, { model }, options, want) => {
    expect(unchecked(model.variant({ base: 0, rows: 4 }, options).compile())).toEqual(want)
  },
)
