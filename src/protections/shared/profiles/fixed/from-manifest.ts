/** What a bundle's manifest says of a model in the `fixed` profile. */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import type { Visibility } from '../../../../model/files/manifest.ts'
import { graphOf } from '../../../../model/graph/graph-of.ts'
import { ProfileError } from '../errors.ts'
import type { ModelManifest } from '../model-manifest.ts'
import { FixedModel } from './fixed-model.ts'
import { ID } from './id.ts'
import { type EndRole, hasPool, matrixVisibility } from './matrices.ts'
import type { Ranges } from './ranges.ts'

/** What calibration wrote into a manifest. Throws `ProfileError` where it did not. */
export function rangesOf({ name, profile }: Pick<ModelManifest, 'name' | 'profile'>): Ranges {
  const entry = profile[ID] as { ranges?: Ranges } | undefined
  if (!entry?.ranges)
    throw new ProfileError(
      `Model '${name}' is not calibrated for '${ID}': sotto model calibrate BUNDLE --text FILE.`,
      ID,
    )
  return entry.ranges
}

/** Throws `ProfileError` for forms whose scores are in octaves, and whose norms have no gains: they are of few bits. */
export function refuseOctaves(config: ModelConfig): void {
  if (graphOf(config).scores === 'octaves')
    throw new ProfileError(`Models of form "${config.arch}" cannot be computed in the profile '${ID}'.`, ID)
}

/** The model that a manifest describes. Throws `ProfileError` where it is not calibrated. */
export function modelOf(manifest: ModelManifest): FixedModel {
  const ranges = rangesOf(manifest)
  const { config, tensors, custody } = manifest
  refuseOctaves(config)
  const isPublic = (name: string): boolean => tensors.find((t) => t.name === name)?.visibility === 'public'
  const end = (role: EndRole): Visibility => matrixVisibility(config, config.layers, role, isPublic)
  return new FixedModel({
    config,
    ranges,
    custody: custody?.kind,
    visibility: (layer, role) => matrixVisibility(config, layer, role, isPublic),
    ends: { embed: end('embed'), head: end('head'), ...(hasPool(config) ? { pool: end('pool') } : {}) },
  })
}
