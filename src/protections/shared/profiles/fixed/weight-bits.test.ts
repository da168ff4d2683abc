import { expect, test } from 'vitest'
import { tinyBert, tinyLlama, tinyModel } from '../../../../../test/support/protocol/models.ts'
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import { FixedModel } from './fixed-model.ts'
import type { Ranges } from './ranges.ts'
import { weightBits } from './weight-bits.ts'

const deep: ModelConfig = { ...tinyLlama, layers: 12 }

/** As wide as the residual stream would be with values so large. */
const wide = ({ layers, ...rest }: Ranges, x: number): Ranges => ({
  ...rest,
  layers: layers.map((layer) => ({ ...layer, x })),
})

test('deep models have weights of as many bits as there is room for', () => {
  const { spec } = tinyModel(deep)
  expect(weightBits(spec)).toBe(15)
  const bits = [1, 2 ** 12, 2 ** 20, 2 ** 28].map(
    (x) => weightBits({ ...spec, ranges: wide(spec.ranges, x) }) ?? 13,
  )
  expect(bits).toEqual(bits.toSorted().toReversed())
  expect(bits[0]).toBe(15)
  expect(bits.at(-1)).toBe(13)
  const { metadata } = new FixedModel(spec)
  expect(metadata.precision).toMatchObject({ weight: 15, activation: 13 })
})

test('models of few layers have the usual ones, and so have those that carry their norms on', () => {
  expect(new FixedModel(tinyModel(tinyLlama).spec).metadata.precision).toMatchObject({ weight: 13 })
  const shallow = tinyModel(tinyLlama).spec
  expect(weightBits({ ...shallow, config: { ...tinyBert, layers: 12 } })).toBeUndefined()
})
