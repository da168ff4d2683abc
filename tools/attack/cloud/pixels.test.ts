import { expect, test } from 'vitest'
import { toBase64Url } from '../../../src/handshake/encoding.ts'
import type { TowerConfig } from '../../../src/model/pictures/tower.ts'
import { PredictableRandom } from '../../../src/model/random.ts'
import { OwnerEnds } from '../../../src/protections/veiled/owner-ends.ts'
import { OWNER_FORMAT } from '../../../src/protections/veiled/owner-key.ts'
import type { LabelledPictures } from '../../pictures/fashion.ts'
import { pixelsByComponents } from './pixels.ts'

const config: TowerConfig = {
  ...{ dim: 8, layers: 1, heads: 1, ff: 8, eps: 1e-6, activation: 'gelu' },
  ...{ picture: 6, patch: 3, channels: 1 },
}
const count = 1500

/** Dark pictures with a few bright pixels, each place as often as it is to the left and above. */
function pictures(seed: number): LabelledPictures {
  const random = new PredictableRandom(seed)
  const pixels = Uint8Array.from({ length: count * 36 }, (_, at) => {
    const brightness = 40 + 5 * (at % 36)
    return random.uniform() < 0.05 + 0.005 * (at % 36) ? Math.min(255, brightness) : 0
  })
  return { count, pixels, labels: new Uint8Array(count) }
}

test('pictures come back from veiled patches', () => {
  const seed = toBase64Url(new Uint8Array(32).fill(3))
  const ends = new OwnerEnds({
    ...{ format: OWNER_FORMAT, keyId: '0'.repeat(32), tenant: 't', created: '2026-01-01T00:00:00Z' },
    ...{ group: 'bits', family: 'vit' },
    ends: {
      patches: { kind: 'items', size: 5, fixed: [0], seed },
      pixels: { kind: 'pixels', size: 9, seed },
    },
  })
  const normal = { mean: [0.2], std: [0.4] }
  const figures = pixelsByComponents(ends, config, normal, { users: pictures(1), known: pictures(2), count })
  expect(figures.correlation).toBeGreaterThan(figures.correlationOfMean + 0.1)
})
