import type { CurvePoint } from './loss-curve.ts'

const width = 720
const height = 360
const margin = { left: 52, right: 16, top: 16, bottom: 40 }

/** The loss curve as a picture: training loss, smoothed over neighbouring steps, and held-out loss as dots. */
export function curveSvg(points: CurvePoint[]): string {
  if (points.length === 0) throw new Error('There is no training step to draw.')
  const smooth = smoothed(points, Math.max(1, Math.round(points.length / 150)))
  const dev = points.flatMap(({ step, devLoss }) => (devLoss === undefined ? [] : [{ step, loss: devLoss }]))
  const last = points[points.length - 1].step
  const values = [...smooth, ...dev].map(({ loss }) => loss)
  const low = Math.floor(Math.min(...values) * 2) / 2
  const high = Math.max(low + 0.5, Math.ceil(Math.max(...values) * 2) / 2)
  const x = (step: number) => margin.left + (step / last) * (width - margin.left - margin.right)
  const y = (loss: number) =>
    height - margin.bottom - ((loss - low) / (high - low)) * (height - margin.top - margin.bottom)
  const path = smooth
    .map((p, i) => `${i ? 'L' : 'M'}${x(p.step).toFixed(1)} ${y(p.loss).toFixed(1)}`)
    .join('')

  const rows = ticks(low, high, 8).map(
    (tick) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#e3e3e8"/>` +
      `<text x="${margin.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
  )
  const columns = ticks(0, last, 6).map(
    (tick) =>
      `<text x="${x(tick)}" y="${height - margin.bottom + 18}" text-anchor="middle">${tick.toLocaleString('en')}</text>`,
  )
  const dots = dev.map(
    (p) => `<circle cx="${x(p.step).toFixed(1)}" cy="${y(p.loss).toFixed(1)}" r="3" fill="#d9480f"/>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#444">`,
    `<title>Loss by training step</title><rect width="${width}" height="${height}" fill="#fff"/>`,
    ...rows,
    ...columns,
    `<path d="${path}" fill="none" stroke="#2f5bd8" stroke-width="1.5"/>`,
    ...dots,
    `<text x="${width / 2}" y="${height - 6}" text-anchor="middle">step</text>`,
    `<text x="${width - 20}" y="34" text-anchor="end" fill="#2f5bd8">training loss, nats per token</text>`,
    dev.length
      ? `<text x="${width - 20}" y="52" text-anchor="end" fill="#d9480f">● held-out dialogues</text>`
      : '',
    '</svg>\n',
  ].join('\n')
}

/** Means of `size` neighbouring steps. */
function smoothed(points: CurvePoint[], size: number): Array<{ step: number; loss: number }> {
  const out = []
  for (let i = 0; i < points.length; i += size) {
    const group = points.slice(i, i + size)
    const mean = (pick: (p: CurvePoint) => number) =>
      group.reduce((sum, p) => sum + pick(p), 0) / group.length
    out.push({ step: mean((p) => p.step), loss: mean((p) => p.loss) })
  }
  return out
}

/** Round numbers from `from` to `to`, about `count` of them. */
function ticks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const unit = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough)!
  const out = []
  for (let i = Math.ceil(from / unit); i * unit <= to + 1e-9; i++) out.push(Number((i * unit).toPrecision(6)))
  return out
}
