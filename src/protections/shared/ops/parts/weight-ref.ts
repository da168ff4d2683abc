import type { WeightUse } from '../../plan.ts'
import type { Scale } from '../../scale.ts'

/** A weight [k x n] as a plan names it; k and the ring are those of what it multiplies. */
export interface WeightRef extends Pick<WeightUse, 'name' | 'index' | 'n' | 'visibility'> {
  readonly scale: Scale
}

/** The weight with what a product says of it, as the plan's list has it. */
export const weightUse = (
  { name, index, n, visibility }: WeightRef,
  x: { readonly width: number; readonly ring: number },
): WeightUse => ({ name, index, k: x.width, n, ring: x.ring, visibility })
