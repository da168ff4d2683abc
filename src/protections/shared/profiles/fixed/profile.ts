/** The `fixed` profile: fixed point in Z_2^ring, every ring chosen by ranges that were measured and are public. */
import type { Profile } from '../profile.ts'
import { modelOf } from './from-manifest.ts'
import { ID } from './id.ts'

/** Of a product with a norm of its own. */
const ownNorm = ['raw', 'meanSquare[]', 'gained']

/** Fixed point in rings of up to 64 bits, which calibration chooses. */
export const fixed: Profile = {
  id: ID,
  publicFields: {
    'ranges.layers[]': [
      ...['x', 'meanSquare1[]', 'meanSquare2[]', 'normal1', 'v', 'score[]', 'peak'],
      ...['raw', 'rawResidual', 'gate', 'up'],
    ],
    'ranges.layers[].query': ownNorm,
    'ranges.layers[].key': ownNorm,
    'ranges.layers[].added': ownNorm,
    'ranges.layers[].fed': ownNorm,
    'ranges.final': ['x', 'meanSquare[]', 'normal', 'logits'],
    'ranges.pool': ['input', 'x', 'meanSquare[]', 'normal'],
  },
  model: modelOf,
  workshop: async () => (await import('./workshop.ts')).workshop,
}
