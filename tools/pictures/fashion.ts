/** Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): grey pictures of 28 x 28 pixels of garments in ten classes; MIT licence. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Where Debian's package `dataset-fashion-mnist` has it. */
export const FASHION_FOLDER = '/usr/share/datasets/fashion-mnist'

/** Rows, and columns, of a picture. */
export const FASHION_SIDE = 28

/** Names of the classes, in the order of their numbers. */
export const garments: readonly string[] = [
  'T-shirt',
  'trousers',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'boot',
]

/** Pictures with their classes. */
export interface LabelledPictures {
  readonly count: number
  /** One picture after another, rows from above, 0 (black) to 255. */
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

/** Pictures to learn from, or those to test on. Throws where the folder lacks them or holds others. */
export function readFashion(dir: string, part: 'train' | 'test'): LabelledPictures {
  const stem = part === 'train' ? 'train' : 't10k'
  const [pictures, labels] = [`${stem}-images-idx3-ubyte`, `${stem}-labels-idx1-ubyte`].map((name) =>
    readIdx(dir, name),
  )
  const [count, rows, columns] = pictures.shape
  if (rows !== FASHION_SIDE || columns !== FASHION_SIDE || labels.shape[0] !== count)
    throw new Error(`${dir} holds other pictures than Fashion-MNIST's.`)
  return { count, pixels: pictures.bytes, labels: labels.bytes }
}

/** A file of bytes in LeCun's IDX format: two zeros, the type, the number of axes, their sizes, and the values. */
function readIdx(dir: string, name: string): { shape: number[]; bytes: Uint8Array } {
  const path = join(dir, `${name}.gz`)
  if (!existsSync(path))
    throw new Error(
      `${path} does not exist. Install Debian's package dataset-fashion-mnist, or say --data FOLDER.`,
    )
  const file = gunzipSync(readFileSync(path))
  const axes = file[3]
  const shape = Array.from({ length: axes }, (_, i) => file.readUInt32BE(4 + 4 * i))
  const from = 4 + 4 * axes
  const length = shape.reduce((a, b) => a * b, 1)
  if (file.readUInt16BE(0) !== 0 || file[2] !== 8 || file.length !== from + length)
    throw new Error(`${path} is no file of bytes in IDX format.`)
  return { shape, bytes: new Uint8Array(file.buffer, file.byteOffset + from, length) }
}
