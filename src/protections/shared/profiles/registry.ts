/** The profiles that there are: one line each. The first is that of models which name none. */
import { fixed } from './fixed/profile.ts'
import type { Profile } from './profile.ts'

export const profiles: readonly Profile[] = [fixed]
