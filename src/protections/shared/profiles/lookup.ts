import type { Manifest } from '../../../model/files/manifest.ts'
import { ProfileError, UnknownProfile } from './errors.ts'
import type { Profile } from './profile.ts'
import { profiles } from './registry.ts'

/** The profile of models that are not calibrated yet. */
export const defaultProfile = (): Profile => profiles[0]

/** The profile that a manifest has an entry of. Throws `UnknownProfile`, or `ProfileError` where it has several. */
export function profileOf({ name, profile }: Pick<Manifest, 'name' | 'profile'>): Profile {
  const ids = Object.keys(profile)
  if (ids.length === 0) return defaultProfile()
  if (ids.length > 1)
    throw new ProfileError(
      `Model '${name}' is of several profiles (${ids.join(', ')}): calibrate it again, for one.`,
    )
  return profileNamed(ids[0])
}

/** The profile of that name. Throws `UnknownProfile`. */
export function profileNamed(id: string): Profile {
  const found = profiles.find((profile) => profile.id === id)
  if (!found) throw new UnknownProfile(id, profileIds())
  return found
}

/** The names of all profiles. */
export const profileIds = (): string[] => profiles.map(({ id }) => id)
