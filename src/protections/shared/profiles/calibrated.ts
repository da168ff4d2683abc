import type { ModelConfig, Tensors } from '../../../model/architectures/config.ts'
import type { Manifest } from '../../../model/files/manifest.ts'
import { defaultProfile } from './lookup.ts'
import type { Sequence } from './workshop.ts'

/** A manifest's `profile`, measured on some sequences. */
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
