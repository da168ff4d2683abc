import type { EpochReport } from './checkpoint.ts'

/** One line of a chart: a name, a colour and points. */
interface Series {
  name: string
  colour: string
  points: Array<[x: number, y: number]>
}

const width = 640
const height = 260
const margin = { left: 56, right: 16, top: 28, bottom: 40 }

/** What a fine-tuning run did: facts, curves of loss, accuracy and epsilon, and the figures themselves. */
export function reportHtml(title: string, facts: Array<[string, string]>, reports: EpochReport[]): string {
  const line = (name: string, colour: string, value: (r: EpochReport) => number | undefined): Series => ({
    name,
    colour,
    points: reports.flatMap((r) => {
      const y = value(r)
      return y === undefined ? [] : [[r.epoch, y]]
    }),
  })
  const charts: Array<[string, Series[]]> = [
    [
      'Loss (nats)',
      [line('training', '#7a5cff', (r) => r.trainLoss), line('held out', '#e07a00', (r) => r.devLoss)],
    ],
    ['Accuracy, held out', [line('accuracy', '#0a7d55', (r) => r.devAccuracy)]],
    ['Epsilon spent', [line('epsilon', '#b3261e', (r) => r.epsilon)]],
  ]
  const drawn = charts.filter(([, series]) => series.some(({ points }) => points.length > 0))
  const columns: Array<[string, (r: EpochReport) => string]> = [
    ['epoch', (r) => number(r.epoch, 2)],
    ['step', (r) => String(r.step)],
    ['seconds', (r) => number(r.seconds, 0)],
    ['training loss', (r) => number(r.trainLoss, 4)],
    ['held-out loss', (r) => number(r.devLoss, 4)],
    ['accuracy', (r) => number(r.devAccuracy, 4)],
    ['epsilon', (r) => number(r.epsilon, 3)],
    ['clipped', (r) => number(r.clipped, 2)],
  ]
  const cells = (tag: string, texts: string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${text}</${tag}>`).join('')}</tr>`
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    `<title>${escaped(title)}</title>`,
    '<style>body{font:15px/1.5 system-ui,sans-serif;max-width:720px;margin:2rem auto;padding:0 1rem}',
    'table{border-collapse:collapse;font-size:13px}td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #ddd}',
    'dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 1rem}dt{color:#555}dd{margin:0}</style>',
    `<h1>${escaped(title)}</h1>`,
    `<dl>${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`,
    ...drawn.map(([name, series]) => chartSvg(name, series)),
    '<table>',
    cells(
      'th',
      columns.map(([name]) => name),
    ),
    ...reports.map((report) =>
      cells(
        'td',
        columns.map(([, text]) => text(report)),
      ),
    ),
    '</table></html>',
    '',
  ].join('\n')
}

const number = (value: number | undefined, digits: number): string =>
  value === undefined ? '' : value.toFixed(digits)

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** Lines over epochs, from zero or a little below the smallest value. */
export function chartSvg(title: string, series: Series[]): string {
  const points = series.flatMap((s) => s.points)
  if (points.length === 0) throw new Error(`There is nothing to draw for "${title}".`)
  const right = Math.max(...points.map(([x]) => x))
  const ys = points.map(([, y]) => y)
  const spread = Math.max(...ys) - Math.min(...ys) || 0.1
  const low = Math.max(0, Math.min(...ys) - 0.1 * spread)
  const high = Math.max(...ys) + 0.1 * spread
  const x = (v: number) => margin.left + (v / right) * (width - margin.left - margin.right)
  const y = (v: number) =>
    height - margin.bottom - ((v - low) / (high - low)) * (height - margin.top - margin.bottom)
  const at = ([px, py]: [number, number]) => `${x(px).toFixed(1)} ${y(py).toFixed(1)}`
  const rows = Array.from({ length: 5 }, (_, i) => low + ((high - low) * i) / 4).map(
    (tick) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#e3e3e8"/>` +
      `<text x="${margin.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toPrecision(3)}</text>`,
  )
  const lines = series.map(({ points: own, colour, name }, i) => {
    const path = own.map((point, k) => `${k ? 'L' : 'M'}${at(point)}`).join('')
    const dots = own
      .map(([px, py]) => `<circle cx="${x(px)}" cy="${y(py)}" r="2.5" fill="${colour}"/>`)
      .join('')
    const legend = `<text x="${width - margin.right - 90 * i}" y="16" text-anchor="end" fill="${colour}">${name}</text>`
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>${dots}${legend}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<text x="${margin.left}" y="16" font-weight="600">${escaped(title)}</text>`,
    ...rows,
    ...lines,
    `<text x="${width / 2}" y="${height - 8}" text-anchor="middle">epochs (0 to ${number(right, 0)})</text></svg>`,
  ].join('')
}
