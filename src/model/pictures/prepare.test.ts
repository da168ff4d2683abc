import { expect, test } from 'vitest'
import { preparePicture, type RgbaPicture } from './prepare.ts'

const grey = (width: number, height: number, of: (x: number, y: number) => number): RgbaPicture => ({
  width,
  height,
  data: Uint8Array.from({ length: 4 * width * height }, (_, at) => {
    const i = Math.floor(at / 4)
    return at % 4 === 3 ? 255 : of(i % width, Math.floor(i / width))
  }),
})

const prepared = (from: RgbaPicture, picture: number, background?: 'dark' | 'light'): number[] => [
  ...preparePicture(from, { picture, channels: 1, background }),
]

test('a picture of the model’s size stays as it is', () => {
  const from = grey(3, 3, (x, y) => 10 * y + x)
  expect(prepared(from, 3)).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22])
})

test('a larger one has the means of areas, a smaller one its pixels again', () => {
  expect(
    prepared(
      grey(4, 4, (x, y) => (x < 2 ? 100 : 200) + (y < 2 ? 0 : 20)),
      2,
    ),
  ).toEqual([100, 200, 120, 220])
  expect(
    prepared(
      grey(3, 3, (x) => 30 * x),
      2,
    ),
  ).toEqual([10, 50, 10, 50])
  expect(
    prepared(
      grey(1, 1, () => 7),
      2,
    ),
  ).toEqual([7, 7, 7, 7])
})

test('one that is not square is put on its own background', () => {
  expect(
    prepared(
      grey(4, 2, () => 90),
      4,
    ),
  ).toEqual(new Array(16).fill(90))
  const wide = grey(4, 2, (x) => (x === 1 || x === 2 ? 255 : 0))
  // Half of the edge is white.
  expect(prepared(wide, 4).slice(4, 8)).toEqual([0, 255, 255, 0])
  expect(prepared(wide, 4).slice(0, 4)).toEqual([128, 128, 128, 128])
})

test('what lies on the wrong background is inverted', () => {
  const dark = grey(5, 5, (x, y) => (x === 2 && y === 2 ? 250 : 5))
  const light = grey(5, 5, (x, y) => (x === 2 && y === 2 ? 5 : 250))
  expect(prepared(light, 5, 'dark')).toEqual(prepared(dark, 5, 'dark'))
  expect(prepared(dark, 5, 'dark')).toEqual(prepared(dark, 5))
})

test('colours become grey as eyes have it, or channels; transparency is white', () => {
  const data = Uint8Array.of(255, 0, 0, 255)
  expect([...preparePicture({ width: 1, height: 1, data }, { picture: 1, channels: 1 })]).toEqual([76])
  expect([...preparePicture({ width: 1, height: 1, data }, { picture: 1, channels: 3 })]).toEqual([255, 0, 0])
  const clear = Uint8Array.of(255, 0, 0, 0)
  expect([...preparePicture({ width: 1, height: 1, data: clear }, { picture: 1, channels: 3 })]).toEqual([
    255, 255, 255,
  ])
})
