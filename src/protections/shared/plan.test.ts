import { expect, it } from 'vitest'
import type { Slot } from './dealt.ts'
import { PlanBuilder } from './plan.ts'
import { MASK_STREAM } from './prg.ts'
import { UNSCALED } from './scale.ts'
import { share } from './values.ts'

const type = share({ layout: 'row', width: 1, ring: 8, scale: UNSCALED })
const slot = (name: string): Slot => ({ name, layout: 'row', width: 1, bits: 8 })

it.each([
  ['two slots of one name', ['a', 'b', 'a']],
  ['more slots than a step has streams', Array.from({ length: MASK_STREAM + 1 }, (_, i) => `${i}`)],
])('a step does not deal %s', (_, names) => {
  const body = () => ({
    slots: names.map(slot),
    run: () => new BigUint64Array(),
    oracle: () => new BigUint64Array(),
  })
  expect(() => new PlanBuilder().step('op', type, [], body)).toThrow('too many slots')
})
