/** The `lowbit` profile: weights of one or four bits, activations of a few, everything between by tables and gates. */
import type { Profile } from '../profile.ts'
import { ID } from './id.ts'
import { modelOf } from './lowbit-model.ts'
import { PUBLIC_FIELDS } from './quantization.ts'

/** Small integers in the narrowest rings that hold them. */
export const lowbit: Profile = {
  id: ID,
  publicFields: PUBLIC_FIELDS,
  model: modelOf,
  workshop: async () => (await import('./workshop.ts')).workshop,
}
