/** PNG files as pictures: the terminal's, for browsers read more kinds by themselves. */
import { readFileSync, statSync } from 'node:fs'
import { convertIndexedToRgb, type DecodedPng, decode, hasPngSignature } from 'fast-png'
import type { RgbaPicture } from '../../model/pictures/prepare.ts'
import { UsageError } from '../errors.ts'

const MOST_BYTES = 64 << 20
/** A small file may unfold to a large picture. */
const MOST_PIXELS = 1 << 25

/** Whether a file's name says that it is a picture. */
export const isPictureFile = (file: string): boolean => /\.(png|jpe?g|gif|webp|bmp|avif)$/i.test(file)

/** Reads a PNG. Throws {@link UsageError} for another file, or one that is damaged or too large. */
export function readPng(file: string): RgbaPicture {
  const complain = (why: string): never => {
    throw new UsageError(`${file} ${why}.`, 'The terminal reads PNG; the page reads what your browser does.')
  }
  let bytes: Uint8Array
  try {
    if (statSync(file).size > MOST_BYTES) return complain('is larger than 64 MiB')
    bytes = readFileSync(file)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    return complain('cannot be read')
  }
  // Signature, length and name of the first chunk, then width and height.
  if (bytes.length < 24 || !hasPngSignature(bytes)) return complain('is no PNG')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint32(16) * view.getUint32(20) > MOST_PIXELS)
    return complain('has more than 33 million pixels')
  let png: DecodedPng
  try {
    png = decode(bytes)
  } catch {
    return complain('is damaged')
  }
  return toRgba(png)
}

function toRgba(png: DecodedPng): RgbaPicture {
  const { width, height, depth, palette } = png
  // Three numbers a pixel, or four where the palette has opacities.
  const data = palette ? convertIndexedToRgb(png) : png.data
  const channels = palette ? data.length / (width * height) : png.channels
  const most = palette ? 255 : 2 ** Math.max(8, depth) - 1
  const out = new Uint8Array(4 * width * height)
  const hasGrey = channels < 3
  for (let i = 0; i < width * height; i++) {
    const at = i * channels
    const value = (c: number): number => Math.round((255 * data[at + c]) / most)
    for (let c = 0; c < 3; c++) out[4 * i + c] = value(hasGrey ? 0 : c)
    out[4 * i + 3] = channels % 2 === 0 ? value(channels - 1) : 255
  }
  return { width, height, data: out }
}
