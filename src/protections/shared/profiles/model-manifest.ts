import type { Manifest } from '../../../model/files/manifest.ts'

/** What a profile reads of a model's manifest. */
export type ModelManifest = Pick<Manifest, 'config' | 'tensors' | 'profile' | 'name' | 'custody'>
