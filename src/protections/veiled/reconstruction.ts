/**
 * What a cloud makes of veiled pictures that has public ones of the same kind: independent components are the same under
 * every key. Measured once for a model (`sotto model pictures view`), so that owners can be shown their own pictures so.
 */
import * as v from 'valibot'
import { fromBase64Url } from '../../handshake/encoding.ts'

/** Numbers as base64url of float32, little-endian. */
const floats = v.pipe(
  v.string(),
  v.maxLength(1 << 24),
  v.check((text) => /^[\w-]+$/.test(text), 'expected base64url'),
)

export const reconstructionSchema = v.object({
  /** `[pixels, pixels]`: a patch times this, and `around`, is how it looks to the cloud. */
  map: floats,
  around: floats,
  /** Where the cloud puts each patch. */
  places: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.maxLength(1 << 16)),
  /** Mean correlation with what they were, of pictures that it was measured on. */
  correlation: v.pipe(v.number(), v.finite()),
})

/** As the file has it. */
export type StoredReconstruction = v.InferOutput<typeof reconstructionSchema>

/** The patches of one's own picture as the cloud would show them. Throws `RangeError` where sizes differ. */
export function rebuildPatches(o: StoredReconstruction, patches: readonly Float32Array[]): Float32Array[] {
  const size = patches[0].length
  const [map, around] = [floatsOf(o.map, size * size), floatsOf(o.around, size)]
  const isOfAll = patches.every((_, place) => o.places.includes(place))
  if (o.places.length !== patches.length || !isOfAll)
    throw new RangeError('The reconstruction is of pictures with other patches.')
  const out: Float32Array[] = []
  patches.forEach((patch, p) => {
    const seen = around.slice()
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) seen[j] += patch[i] * map[i * size + j]
    out[o.places[p]] = seen
  })
  return out
}

function floatsOf(text: string, count: number): Float32Array {
  const bytes = fromBase64Url(text, 4 * count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true))
}
