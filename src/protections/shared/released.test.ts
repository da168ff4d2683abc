import { expect, test } from 'vitest'
import { tinyBert, tinyEncoder, tinyLlama, tinyModel } from '../../../test/support/protocol/models.ts'
import { ProtectionError } from '../protection.ts'
import { calibrate } from './profiles/fixed/calibrate.ts'
import { checkReleased, refuseOutOfRange } from './released.ts'
import { UNSCALED } from './scale.ts'
import type { Released } from './values.ts'

test('a last row beyond its range is an error that names the layer', () => {
  const { released } = tinyModel(tinyLlama).model
  const row = new Float64Array(tinyLlama.dim).fill(0.5)
  expect(checkReleased(released, row)).toBe(row)
  row[3] = -released.most * 1.01
  expect(() => checkReleased(released, row)).toThrow(
    expect.objectContaining({
      code: 'out-of-range',
      message: expect.stringContaining('the final norm, behind layer 1'),
    }),
  )
  row[3] = Number.NaN
  expect(() => checkReleased(released, row)).toThrow(ProtectionError)
})

test("so are a classifier's logits; a profile that knows no range checks none", () => {
  const { released } = tinyEncoder(tinyBert).model
  const logits = Float64Array.of(0, 0, released.most * 2)
  expect(() => checkReleased(released, logits)).toThrow('the head, behind layer 1')
  expect(checkReleased(undefined, logits)).toBe(logits)
})

test('a row that is out of range is an error that names the place, unless it is padding', () => {
  const released: Released = {
    kind: 'released',
    step: 9,
    layout: 'row',
    width: 2,
    ring: 1,
    scale: UNSCALED,
    lanes: 64,
  }
  // Two row chunks of a text of four rows, of which the third is padding.
  const refuse = (good: 'zero' | 'nonzero', ...chunks: bigint[][]) =>
    refuseOutOfRange(
      [{ value: released, place: 'layer 3', good }],
      chunks.map((lanes, i) => ({
        shape: { base: 2 * i, rows: 2, serial: 1, seen: 4, hasMore: i === 0 },
        padding: () => Uint8Array.of(0, 0, 1, 0),
        result: () => BigUint64Array.from(lanes),
      })),
    )
  expect(() => refuse('zero', [0n, 0n, 0n, 0n], [0n, 0n, 0n, 0n])).not.toThrow()
  expect(() => refuse('zero', [0n, 0n, 0n, 0n], [1n, 1n, 0n, 0n])).not.toThrow()
  expect(() => refuse('zero', [0n, 0n, 0n, 1n], [0n, 0n, 0n, 0n])).toThrow('layer 3')
  expect(() => refuse('zero', [0n, 0n, 0n, 0n], [0n, 0n, 1n, 0n])).toThrow('layer 3')
  expect(() => refuse('nonzero', [1n, 1n, 1n, 1n], [0n, 1n, 1n, 1n])).not.toThrow()
  expect(() => refuse('nonzero', [1n, 1n, 1n, 1n], [1n, 1n, 0n, 1n])).toThrow('layer 3')
})

test('tokens that no calibration text holds have room, too', () => {
  const { config, tensors } = tinyModel(tinyLlama)
  const table = tensors.get('model.embed_tokens.weight')!.data
  const squares = Array.from({ length: config.vocab }, (_, id) => {
    const row = table.subarray(id * config.dim, (id + 1) * config.dim)
    return row.reduce((sum, v) => sum + v * v, 0) / config.dim
  })
  const [low, high] = calibrate(config, tensors, [[1, 2, 3]]).layers[0].meanSquare1
  expect(low).toBeCloseTo(Math.min(...squares), 12)
  expect(high).toBeCloseTo(Math.max(...squares), 12)
})
