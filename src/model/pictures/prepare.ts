/** A person's picture, of any size, as the bytes that a model's patches are cut from. Browser-safe. */

/** Rows from above, four bytes a pixel: red, green, blue, opacity. */
export interface RgbaPicture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Uint8ClampedArray
}

/** What a model wants of pictures, besides their size. */
export interface PictureWishes {
  /** Rows and columns. */
  readonly picture: number
  /** 1 for grey, 3 for red, green and blue. */
  readonly channels: number
  /** What its pictures lie on; a picture that lies on the opposite is inverted. */
  readonly background?: 'dark' | 'light'
}

/** Grey as eyes have it (ITU-R BT.601). */
const GREY = [0.299, 0.587, 0.114]

/**
 * Bytes `[channels, rows, columns]`: on white where it is transparent, inverted where its background is the wrong one,
 * made square with its background, and each pixel the mean of the area that it covers. The same in a browser and in Node.
 */
export function preparePicture(from: RgbaPicture, wishes: PictureWishes): Uint8Array {
  const { picture, channels } = wishes
  const planes = planesOf(from, channels)
  if (wishes.background && backgroundOf(planes, from) !== wishes.background)
    for (const plane of planes) for (let i = 0; i < plane.length; i++) plane[i] = 255 - plane[i]
  const out = new Uint8Array(channels * picture * picture)
  planes.forEach((plane, c) => {
    out.set(squared(plane, from, picture), c * picture * picture)
  })
  return out
}

/** One array a channel, on white. */
function planesOf({ width, height, data }: RgbaPicture, channels: number): Float64Array[] {
  const planes = Array.from({ length: channels }, () => new Float64Array(width * height))
  for (let i = 0; i < width * height; i++) {
    const opacity = data[4 * i + 3] / 255
    const [red, green, blue] = [0, 1, 2].map((c) => opacity * data[4 * i + c] + 255 * (1 - opacity))
    const values = channels === 1 ? [GREY[0] * red + GREY[1] * green + GREY[2] * blue] : [red, green, blue]
    for (let c = 0; c < channels; c++) planes[c][i] = values[c]
  }
  return planes
}

/** What most of a picture's edge is. */
function backgroundOf(planes: readonly Float64Array[], size: RgbaPicture): 'dark' | 'light' {
  return edgeMean(planes, size) < 128 ? 'dark' : 'light'
}

function edgeMean(planes: readonly Float64Array[], { width, height }: RgbaPicture): number {
  let [sum, count] = [0, 0]
  for (const plane of planes)
    for (let y = 0; y < height; y++) {
      const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1)
      for (let x = 0; x < width; x += step, count++) sum += plane[y * width + x]
    }
  return sum / count
}

/** In the middle of a square of the edge's mean, scaled to `side` rows and columns. */
function squared(plane: Float64Array, size: RgbaPicture, side: number): Uint8Array {
  const { width, height } = size
  const whole = Math.max(width, height)
  const [left, top] = [(whole - width) / 2, (whole - height) / 2]
  const around = edgeMean([plane], size)
  const [across, down] = [shares(width, left, whole, side), shares(height, top, whole, side)]
  const out = new Uint8Array(side * side)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let [sum, weight] = [0, 0]
      for (const { at: row, share: a } of down[y])
        for (const { at: column, share: b } of across[x]) {
          sum += a * b * plane[row * width + column]
          weight += a * b
        }
      out[y * side + x] = Math.round(sum + (1 - weight) * around)
    }
  return out
}

/** Which of `size` pixels, `before` of which are missing, each of `side` new ones covers, and how much of it is each. */
function shares(size: number, before: number, whole: number, side: number) {
  const step = whole / side
  return Array.from({ length: side }, (_, i) => {
    const [from, to] = [i * step - before, (i + 1) * step - before]
    const found: { at: number; share: number }[] = []
    for (let at = Math.max(0, Math.floor(from)); at < Math.min(size, Math.ceil(to)); at++)
      found.push({ at, share: (Math.min(to, at + 1) - Math.max(from, at)) / step })
    return found
  })
}
