import { expect, it } from 'vitest'
import { PlanBuilder, type Slot } from './plan.ts'
import { MASK_STREAM } from './prg.ts'

const type = { kind: 'share' as const, layout: 'row' as const, width: 1, ring: 8, frac: 0 }
const slot = (name: string): Slot => ({ name, layout: 'row', width: 1, bits: 8 })

it.each([
  ['two slots of one name', ['a', 'b', 'a']],
  ['more slots than a step has streams', Array.from({ length: MASK_STREAM + 1 }, (_, i) => `${i}`)],
])('a step does not deal %s', (_, names) => {
  const body = () => ({
    slots: names.map(slot),
    run: () => new BigUint64Array(),
    plain: () => new BigUint64Array(),
  })
  expect(() => new PlanBuilder().step('op', type, [], body)).toThrow('too many slots')
})
