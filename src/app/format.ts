/** Numbers and words as people read them, in the language of the page. */
import { date, number, since, t } from './language.ts'

/** 1234 -> "1.2 KB", in powers of 1000. */
export function bytes(count: number): string {
  const units = t('units').split(' ')
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0
  return `${number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${units[unit]}`
}

/** 1234567 -> "1,234,567". */
export const grouped = (value: number): string => number(value)

/** 4194304 -> "4.2M". */
export const count = (value: number): string =>
  value < 1e4
    ? number(value)
    : number(value, { notation: 'compact', maximumFractionDigits: value < 1e6 ? 0 : 1 })

/** 0.1234 -> "12.3%"; small ones keep a digit that says something. */
export const percent = (share: number): string => {
  const digits = share > 0 && share < 0.001 ? 3 : 1
  return number(share, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** 1.25 -> "1.3", with as many digits behind the point. */
export const decimal = (value: number, digits = 1): string =>
  number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** "1 row", "2 rows": in English, as what is wrong with a file is told. */
export const plural = (value: number, noun: string): string =>
  `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`

/** A 32-bit word as eight hexadecimal digits. */
export const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

/** "now", "12 min. ago", "3 hr. ago", then a date. */
export function ago(time: number, now = Date.now()): string {
  const minutes = (now - time) / 60_000
  if (minutes < 1) return since(0, 'second')
  if (minutes < 60) return since(Math.floor(minutes), 'minute')
  if (minutes < 24 * 60) return since(Math.floor(minutes / 60), 'hour')
  return date(time, { day: 'numeric', month: 'short' })
}

/** First line of a text, cut at a word. */
export function title(text: string, limit = 48): string {
  const line = text.trim().split('\n')[0]
  if (line.length <= limit) return line
  const cut = line.slice(0, limit)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), limit - 12))}…`
}

const ways: [RegExp, string][] = [
  [/webrtc/i, 'WebRTC'],
  [/ws/i, 'WebSocket'],
  [/fetch/i, 'HTTP'],
  [/webgpu/i, 'WebGPU'],
  [/wasm/i, 'WebAssembly'],
]

/** Name for people of a link or a backend, which name themselves for programs: "cpu (wasm-simd)". */
export const way = (kind: string): string => ways.find(([pattern]) => pattern.test(kind))?.[1] ?? kind
