/** Curves as a picture: SVG, by itself or inside a page. */

/** One curve of a chart. */
export interface Series {
  name: string
  colour: string
  points: ReadonlyArray<readonly [x: number, y: number]>
  /** Dots alone, where points are few and far between; otherwise a line, with dots on it if there is room. */
  dotsOnly?: boolean
}

export interface Chart {
  title: string
  /** What x counts. */
  across: string
  series: readonly Series[]
}

const width = 720
const height = 320
const margin = { left: 56, right: 24, top: 28, bottom: 40 }
/** More dots than this on a line run into one another. */
const mostDots = 60

/** Curves over x from 0. Throws an Error where there is not a single point. */
export function lineChart({ title, across, series }: Chart): string {
  const points = series.flatMap((each) => each.points)
  if (points.length === 0) throw new Error(`There is nothing to draw for "${title}".`)
  const right = Math.max(...points.map(([x]) => x)) || 1
  const ys = points.map(([, y]) => y)
  const spread = Math.max(...ys) - Math.min(...ys) || 0.1
  // A little below the least, but below zero only for what is.
  const least = Math.min(...ys)
  const low = Math.max(least < 0 ? -Infinity : 0, least - 0.1 * spread)
  const high = Math.max(...ys) + 0.1 * spread
  const x = (value: number) => fixed(margin.left + (value / right) * (width - margin.left - margin.right))
  const y = (value: number) =>
    fixed(height - margin.bottom - ((value - low) / (high - low)) * (height - margin.top - margin.bottom))

  const rows = ticks(low, high, 6).map(
    (tick) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#e3e3e8"/>` +
      `<text x="${margin.left - 8}" y="${y(tick)}" dy="4" text-anchor="end">${tick}</text>`,
  )
  const columns = ticks(0, right, 6).map(
    (tick) =>
      `<text x="${x(tick)}" y="${height - margin.bottom + 18}" text-anchor="middle">${tick.toLocaleString('en')}</text>`,
  )
  const curves = series.map(({ points: own, colour, name, dotsOnly }, at) => {
    const path = own.map(([px, py], i) => `${i ? 'L' : 'M'}${x(px)} ${y(py)}`).join('')
    const line = dotsOnly ? '' : `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.6"/>`
    const dots = dotsOnly || own.length <= mostDots ? own : []
    const circles = dots.map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="2.5" fill="${colour}"/>`)
    const legend = `<text x="${width - margin.right - 150 * at}" y="16" text-anchor="end" fill="${colour}">${escaped(name)}</text>`
    return line + circles.join('') + legend
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#444">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin.left}" y="16" font-weight="600">${escaped(title)}</text>`,
    ...rows,
    ...columns,
    ...curves,
    `<text x="${width / 2}" y="${height - 6}" text-anchor="middle">${escaped(across)}</text>`,
    '</svg>\n',
  ].join('\n')
}

const fixed = (value: number): number => Number(value.toFixed(1))

/** Text for HTML and SVG, also within quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** Round numbers from `from` to `to`, about `count` of them. */
function ticks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const unit = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough)!
  const out = []
  for (let i = Math.ceil(from / unit); i * unit <= to + 1e-9; i++) out.push(Number((i * unit).toPrecision(6)))
  return out
}
