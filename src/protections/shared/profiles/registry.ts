/**
 * The profiles that there are: each is a folder beside this file that exports a `Profile`, and one entry here. The first is
 * that of models which name none.
 */
import { fixed } from './fixed/profile.ts'
import { lowbit } from './lowbit/profile.ts'
import type { Profile } from './profile.ts'

/** The list itself. */
export const profiles: readonly Profile[] = [fixed, lowbit]
