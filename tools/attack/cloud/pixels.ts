/** Pictures of users from their veiled patches, by a cloud that has pictures of the same kind: no weights, no keys. */

import { joinPatches, type Normalising, patchesOf } from '../../../src/model/pictures/patches.ts'
import type { TowerConfig } from '../../../src/model/pictures/tower.ts'
import { patchCount, patchSize } from '../../../src/model/pictures/tower.ts'
import type { OwnerEnds } from '../../../src/protections/veiled/owner-ends.ts'
import type { LabelledPictures } from '../../pictures/fashion.ts'
import { type Patches, rebuild, reconstruct } from '../../pictures/reconstruct.ts'

/** Users' pictures, and the cloud's own. */
export interface PictureSets {
  readonly users: LabelledPictures
  readonly known: LabelledPictures
  /** How many of each are used. */
  readonly count: number
}

/** Mean correlation of what is rebuilt with what users sent; and that of the mean picture, which takes no attack. */
export function pixelsByComponents(
  ends: OwnerEnds,
  config: TowerConfig,
  normal: Normalising,
  { users, known, count }: PictureSets,
): { correlation: number; correlationOfMean: number } {
  const of = (from: LabelledPictures): Float32Array[][] => {
    const size = config.channels * config.picture ** 2
    return Array.from({ length: Math.min(count, from.count) }, (_, i) =>
      patchesOf(from.pixels.subarray(i * size, (i + 1) * size), config, normal),
    )
  }
  const sent = of(users)
  const veiled = sent.map((patches) => ends.veilPatches(patches))
  const found = reconstruct(rowsOf(veiled, config), rowsOf(of(known), config))
  const pictures = sent.map((patches) => joinPatches(patches, config))
  const mean = pictures[0].map(
    (_, i) => pictures.reduce((sum, picture) => sum + picture[i], 0) / pictures.length,
  )
  const rebuilt = veiled.map((patches) => joinPatches(rebuild(found, patches), config))
  const average = (of: (i: number) => number): number =>
    pictures.reduce((sum, _, i) => sum + of(i), 0) / pictures.length
  return {
    correlation: average((i) => correlation(rebuilt[i], pictures[i])),
    correlationOfMean: average((i) => correlation(mean, pictures[i])),
  }
}

function rowsOf(pictures: readonly (readonly Float32Array[])[], config: TowerConfig): Patches {
  const width = patchSize(config)
  const values = new Float32Array(pictures.length * patchCount(config) * width)
  for (const [i, patch] of pictures.flat().entries()) values.set(patch, i * width)
  return { width, values, patches: patchCount(config) }
}

function correlation(a: Float32Array, b: Float32Array): number {
  const middle = (x: Float32Array): Float32Array => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length
    return x.map((value) => value - mean)
  }
  const [x, y] = [middle(a), middle(b)]
  const dot = (p: Float32Array, q: Float32Array): number => p.reduce((sum, value, i) => sum + value * q[i], 0)
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y) || 1)
}
