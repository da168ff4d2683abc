/** What a data owner does with a picture before it goes up: prepared, cut in patches, veiled. Browser-safe. */
import * as v from 'valibot'
import { joinPatches, patchesOf } from '../../model/pictures/patches.ts'
import { preparePicture, type RgbaPicture } from '../../model/pictures/prepare.ts'
import type { PictureView } from '../picture-view.ts'
import type { OwnerEnds } from './owner-ends.ts'
import { rebuildPatches, reconstructionSchema } from './reconstruction.ts'

export const PICTURES_FORMAT = 'sotto-veil-pictures/1'

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096))
const perChannel = v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1), v.maxLength(3))

/** How a model's pictures are made of people's. Stays with developer and owners. */
export const picturesSchema = v.pipe(
  v.object({
    format: v.literal(PICTURES_FORMAT),
    name: v.pipe(v.string(), v.maxLength(200)),
    /** Rows, and columns, of a picture and of a patch, in pixels. */
    picture: size,
    patch: size,
    channels: v.picklist([1, 3]),
    mean: perChannel,
    std: perChannel,
    /** What the model's pictures lie on; a picture that lies on the opposite is inverted. */
    background: v.optional(v.picklist(['dark', 'light'])),
    /** Of models that read texts on pictures: the token, in the model's own numbering, in whose place patches stand. */
    token: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1 << 22))),
    /** What a cloud with pictures of the same kind makes of veiled ones, where that has been measured. */
    reconstruction: v.optional(reconstructionSchema),
  }),
  v.check(({ picture, patch }) => picture % patch === 0, 'patches must divide the picture'),
  v.check(
    ({ channels, mean, std }) => mean.length === channels && std.length === channels && !std.includes(0),
    'each channel needs a mean and a deviation',
  ),
)

/** As the file has it. */
export type VeiledPictures = v.InferOutput<typeof picturesSchema>

/** A picture on its way. */
export interface VeiledPicture {
  /** As the cloud takes it, `[patches, pixels]`. */
  readonly values: Float32Array
  readonly view: PictureView
}

/** Prepares and veils a person's picture. */
export function veilPicture(from: RgbaPicture, o: VeiledPictures, ends: OwnerEnds): VeiledPicture {
  const own = preparePicture(from, o)
  const patches = patchesOf(own, o, o)
  const veiled = ends.veilPatches(patches)
  const values = new Float32Array(own.length)
  veiled.forEach((patch, i) => {
    values.set(patch, i * patch.length)
  })
  const cloud = o.reconstruction && bytesOf(rebuildPatches(o.reconstruction, patches), o)
  return { values, view: { side: o.picture, channels: o.channels, own, cloud } }
}

function bytesOf(patches: readonly Float32Array[], o: VeiledPictures): Uint8Array {
  const plane = o.picture ** 2
  return Uint8Array.from(joinPatches(patches, o), (value, i) => {
    const c = Math.floor(i / plane)
    return Math.max(0, Math.min(255, Math.round(255 * (value * o.std[c] + o.mean[c]))))
  })
}
