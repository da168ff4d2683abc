import type { ShareType } from '../values.ts'

/** What the owner's input to a plan is: columns of a row, their ring Z_2^ring and their scale. */
export type InputType = Omit<ShareType, 'layout'>
