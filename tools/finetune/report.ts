import { escaped, lineChart, type Series } from '../train/line-chart.ts'
import type { EpochReport } from './checkpoint.ts'

/** What a fine-tuning run did: facts, curves of loss, accuracy and epsilon, and the figures themselves. */
export function reportHtml(title: string, facts: Array<[string, string]>, reports: EpochReport[]): string {
  const line = (name: string, colour: string, value: (r: EpochReport) => number | undefined): Series => ({
    name,
    colour,
    points: reports.flatMap((r) => {
      const y = value(r)
      return y === undefined ? [] : [[r.epoch, y] as const]
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
    ...drawn.map(([title, series]) => lineChart({ title, across: 'epochs', series })),
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
