import type { WeightUse } from '../../plan.ts'
import type { Scale } from '../../scale.ts'

/** A weight [k x n] as a plan names it; k and the ring are those of what it multiplies. */
export interface WeightRef extends Pick<WeightUse, 'name' | 'index' | 'n' | 'visibility'> {
  readonly scale: Scale
}

/** The weight with what a product mod 2^ring says of it, as the plan's list has it. */
export const weightUse = (
  { name, index, n, visibility }: WeightRef,
  { width, ring, maskStream }: Pick<WeightUse, 'ring' | 'maskStream'> & { readonly width: number },
): WeightUse => ({ name, index, k: width, n, ring, visibility, maskStream })
