/** The calibration report as text and as a page. */
import type { RangeEntry } from '../../src/protections/shared/profiles/workshop.ts'
import type { Calibration } from './calibrate.ts'

const short = (value: number): string => {
  const size = Math.abs(value)
  return size !== 0 && (size < 0.01 || size >= 10_000) ? value.toExponential(1) : value.toPrecision(3)
}

const spoken = (value: RangeEntry['measured']): string =>
  typeof value === 'number' ? short(value) : `${short(value[0])} to ${short(value[1])}`

const where = ({ layer }: RangeEntry): string => (layer === undefined ? 'end' : String(layer))

const COLUMNS = ['layer', 'range', 'measured', 'rings hold', 'head room'] as const

const cells = (entry: RangeEntry): string[] => [
  where(entry),
  entry.about,
  spoken(entry.measured),
  spoken(entry.limit),
  `${entry.bits.toFixed(2)} bits`,
]

/** A table for the terminal. */
export function textReport(entries: readonly RangeEntry[]): string {
  const rows = [[...COLUMNS], ...entries.map(cells)]
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i].length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Bits of head room that a full bar stands for. */
const FULL = 3

function bar(bits: number): string {
  const width = Math.round(120 * Math.min(1, Math.max(0, bits / FULL)))
  const colour = bits < 0.5 ? '#b3402a' : '#3b6ea5'
  return `<svg width="120" height="10" role="img" aria-label="${bits.toFixed(2)} bits"><rect width="120" height="10" fill="#8883"/><rect width="${width}" height="10" fill="${colour}"/></svg>`
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><thead><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}</tbody></table>`

/** A page that stands by itself. */
export function htmlReport({ manifest, ranges: entries, heads, tokens }: Calibration): string {
  const ranges = entries.map((entry) => [...cells(entry).map(escaped), bar(entry.bits)])
  const spans = heads.flatMap((layer, i) =>
    layer.map(({ range, row }, head) => [String(i), String(head), spoken(range), short(row)]),
  )
  const title = escaped(`Calibration of ${manifest.name}`)
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.15rem .8rem .15rem 0;font-variant-numeric:tabular-nums}
th{border-bottom:1px solid}
</style>
<h1>${title}</h1>
<p>Measured over ${tokens} tokens. Private inference chooses its rings by these ranges: a value beyond what a ring holds
makes that pass's result wrong. Head room says how many bits larger than measured a value may become; attention logits
may leave their range by the part of their span that is shown.</p>
<h2>Ranges</h2>
${table([...COLUMNS, ''], ranges)}
<h2>Attention logits by head</h2>
${table(['layer', 'head', 'range', 'widest row'], spans)}
</html>
`
}
