/** What a cloud could make of a model's pictures, measured on ones that are veiled with a fresh key. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Matrix } from 'ml-matrix'
import { toBase64Url } from '../../src/handshake/encoding.ts'
import { readLlava } from '../../src/model/pictures/llava.ts'
import { joinPatches, patchesOf } from '../../src/model/pictures/patches.ts'
import { patchCount, patchSize, type TowerConfig } from '../../src/model/pictures/tower.ts'
import { readVit } from '../../src/model/pictures/vit.ts'
import { PredictableRandom } from '../../src/model/random.ts'
import { type End, endMap, type Group } from '../../src/protections/veiled/ends.ts'
import { apply } from '../../src/protections/veiled/linear-map.ts'
import { readJson } from '../import/source.ts'
import { drawCollage, places } from './collage.ts'
import { FASHION_SIDE, type LabelledPictures, readFashion } from './fashion.ts'
import { type Patches, rebuild, reconstruct } from './reconstruct.ts'
import { fashionNormal as normal } from './write-folder.ts'

export interface CloudView {
  /** Mean correlation of rebuilt pictures with what they were. */
  readonly correlation: number
  /** Share of the patches that were put where they belong. */
  readonly places: number
}

export interface CloudViewOptions {
  /** Folder of a ViT of garments, or of a LLaVA of collages of them; gets `reconstruction.json`. */
  readonly model: string
  readonly data: string
  readonly group: Group
  /** Garments that the cloud has been sent pictures of, and public ones that it knows. */
  readonly seen: number
  readonly known: number
}

const PIXELS = FASHION_SIDE ** 2

/**
 * Veils pictures that the model has not learned from, reconstructs them from nothing but public ones, and writes what was
 * found as a map of a person's own pictures: it is the same under every key.
 */
export function cloudView(o: CloudViewOptions): CloudView {
  const { config, inPlace } = subject(o.model)
  const [pixels, patches] = [patchSize(config), patchCount(config)]
  const mixed = (end: End): ReturnType<typeof endMap> => endMap(end, o.group, randomBytes(32))
  const [values, order] = [mixed({ kind: 'pixels', size: pixels }), mixed({ kind: 'items', size: patches })]
  const ordered = (all: Float64Array): Float64Array => (inPlace ? all : apply(order, all))
  const veiled = (own: readonly Float32Array[]): Float64Array[] => {
    const sent = ordered(Float64Array.from(own.keys()))
    return Array.from(sent, (place) => apply(values, Float64Array.from(own[place])).slice())
  }
  const secret = pictures(config, readFashion(o.data, 'test'), o.seen, 1)
  const public_ = pictures(config, readFashion(o.data, 'train'), o.known, 2)
  const found = reconstruct(flat(secret.map(veiled), config), flat(public_, config), inPlace)
  const basis = new Matrix(
    Array.from({ length: pixels }, (_, i) => [
      ...apply(
        values,
        Float64Array.from({ length: pixels }, (_, j) => (i === j ? 1 : 0)),
      ),
    ]),
  )
  // Rebuilt is (own V - mean) M + around, so own (V M) + (around - mean M).
  const map = basis.mmul(found.map)
  const offset = Matrix.rowVector([...found.mean]).mmul(found.map)
  const matched = Array.from(ordered(Float64Array.from({ length: patches }, (_, i) => i)), (own, j) => [
    own,
    found.places[j],
  ])
  const sample = secret.slice(0, 500)
  const correlations = sample.map((own) =>
    likeness(joinPatches(rebuild(found, veiled(own)), config), joinPatches(own, config)),
  )
  const correlation = correlations.reduce((a, b) => a + b, 0) / sample.length
  writeFileSync(
    join(o.model, 'reconstruction.json'),
    `${JSON.stringify({
      map: encoded(map.to1DArray()),
      around: encoded([...found.around].map((x, i) => x - offset.get(0, i))),
      correlation,
      places: matched.sort(([a], [b]) => a - b).map(([, place]) => place),
    })}\n`,
  )
  return {
    correlation,
    places: matched.filter(([own, place]) => own === place).length / patches,
  }
}

/** What a model reads, and whether its patches stay where they are. */
function subject(model: string): { config: TowerConfig; inPlace: boolean } {
  const path = join(model, 'config.json')
  const json = readJson(path)
  return json.model_type === 'llava'
    ? { config: readLlava(json, path).tower, inPlace: true }
    : { config: readVit(json, path), inPlace: false }
}

/** Pictures of `count` garments: of one each, or collages where the model reads those. */
function pictures(
  config: TowerConfig,
  from: LabelledPictures,
  count: number,
  seed: number,
): Float32Array[][] {
  if (config.picture === FASHION_SIDE)
    return Array.from({ length: count }, (_, i) =>
      patchesOf(from.pixels.subarray(i * PIXELS, (i + 1) * PIXELS), config, normal),
    )
  const random = new PredictableRandom(seed)
  return Array.from({ length: Math.floor(count / places.length) }, () =>
    patchesOf(drawCollage(from, random, false).pixels, config, normal),
  )
}

function flat(all: readonly (readonly ArrayLike<number>[])[], config: TowerConfig): Patches {
  const width = patchSize(config)
  const patches = patchCount(config)
  const values = new Float64Array(all.length * patches * width)
  all.forEach((own, p) => {
    own.forEach((patch, i) => {
      values.set(patch, (p * patches + i) * width)
    })
  })
  return { width, values, patches }
}

const encoded = (values: readonly number[]): string =>
  toBase64Url(new Uint8Array(Float32Array.from(values).buffer))

/** Pearson's. */
function likeness(a: Float32Array, b: Float32Array): number {
  const [ma, mb] = [a, b].map((x) => x.reduce((sum, value) => sum + value, 0) / x.length)
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb)
    aa += (a[i] - ma) ** 2
    bb += (b[i] - mb) ** 2
  }
  return ab / Math.sqrt(aa * bb)
}
