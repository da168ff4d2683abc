import type { ModelConfig, Tensors } from '../../src/model/architectures/config.ts'
import type { Manifest } from '../../src/model/files/manifest.ts'
import { defaultProfile } from '../../src/protections/shared/profiles/lookup.ts'
import type { Sequence } from '../../src/protections/shared/profiles/workshop.ts'

/** A manifest's `profile`, measured on some sequences: of the profile that models have which name none. */
export async function calibrated(
  config: ModelConfig,
  tensors: Tensors,
  sequences: Iterable<Sequence>,
  profile = defaultProfile(),
): Promise<Manifest['profile']> {
  const measurement = (await profile.workshop()).measure(config, tensors)
  measurement.add(sequences)
  return { [profile.id]: measurement.entry }
}
