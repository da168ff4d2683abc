import { expect, test } from 'vitest'
import { tinyBert, tinyEncoder, tinyLlama, tinyModel } from '../../../test/support/protocol/models.ts'
import type { ProductDevice } from '../../kernels/kernels.ts'
import type { Link } from '../../transport/link.ts'
import type { Agreement } from './agreement/agreement.ts'
import { SharedConnection } from './connection.ts'
import { calibrate } from './profiles/fixed/calibrate.ts'
import type { OwnerSession } from './session/owner-session.ts'

/** A connection whose session releases what it is told to. */
function releasing(
  tiny: ReturnType<typeof tinyModel> | ReturnType<typeof tinyEncoder>,
  numbers: Float64Array,
) {
  return new SharedConnection({
    config: tiny.config,
    ends: tiny.ends,
    session: { run: async () => numbers } as unknown as OwnerSession,
    agreement: { sessionId: '' } as unknown as Agreement,
    link: { kind: 'ws' } as unknown as Link,
    device: { name: 'none' } as unknown as ProductDevice,
    released: tiny.model.released,
    dealer: '',
    reasons: { link: '', backend: '' },
  })
}

test('a last row beyond its range is an error that names the layer', async () => {
  const tiny = tinyModel(tinyLlama)
  const { most } = tiny.model.released
  const row = new Float64Array(tinyLlama.dim).fill(0.5)
  expect((await releasing(tiny, row).run(0, { ids: [1] })).length).toBe(tinyLlama.vocab)
  row[3] = -most * 1.01
  await expect(releasing(tiny, row).run(0, { ids: [1] })).rejects.toMatchObject({
    code: 'out-of-range',
    message: expect.stringContaining('the final norm, behind layer 1'),
  })
})

test("so are a classifier's logits", async () => {
  const tiny = tinyEncoder(tinyBert)
  const logits = Float64Array.of(0, 0, tiny.model.released.most * 2)
  await expect(releasing(tiny, logits).run(0, { ids: [1, 2] })).rejects.toMatchObject({
    code: 'out-of-range',
    message: expect.stringContaining('the head, behind layer 1'),
  })
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
