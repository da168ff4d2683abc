/** Thirty-two of Fashion-MNIST's test pictures (Xiao, Rasul and Vollgraf, 2017; MIT licence), and their classes. */
import { join } from 'node:path'
import { readPng } from '../../../src/cli/classify/png.ts'
import type { RgbaPicture } from '../../../src/model/pictures/prepare.ts'

export const garmentClasses = [
  ...[9, 2, 1, 1, 6, 1, 4, 6, 5, 7, 4, 5, 7, 3, 4, 1],
  ...[2, 4, 8, 0, 2, 5, 7, 9, 1, 4, 6, 0, 9, 3, 8, 8],
]

const SIDE = 28
const ACROSS = 8

/** Pictures of 28 x 28 pixels, in the order of their classes. */
export function garmentPictures(): RgbaPicture[] {
  const sheet = readPng(join(import.meta.dirname, 'garments.png'))
  return garmentClasses.map((_, n) => {
    const data = new Uint8Array(4 * SIDE * SIDE)
    for (let y = 0; y < SIDE; y++) {
      const from = 4 * ((Math.floor(n / ACROSS) * SIDE + y) * sheet.width + (n % ACROSS) * SIDE)
      data.set(sheet.data.subarray(from, from + 4 * SIDE), 4 * y * SIDE)
    }
    return { width: SIDE, height: SIDE, data }
  })
}

/** Four of them in one picture, from the top left to the bottom right. */
export function collageOf(four: readonly RgbaPicture[]): RgbaPicture {
  const side = 2 * SIDE
  const data = new Uint8Array(4 * side * side)
  four.forEach((one, place) => {
    const at = (Math.floor(place / 2) * side + (place % 2)) * SIDE
    for (let y = 0; y < SIDE; y++)
      data.set(one.data.subarray(4 * y * SIDE, 4 * (y + 1) * SIDE), 4 * (at + y * side))
  })
  return { width: side, height: side, data }
}
