/** Numbers and words as people read them. */

const units = ['B', 'KB', 'MB', 'GB'] as const

/** 1234 -> "1.2 KB", in powers of 1000. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** 1234567 -> "1,234,567". `toLocaleString` would load its tables first, in the middle of the page's first picture. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** 4194304 -> "4.2 M". */
export function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} B`
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`
  if (value >= 1e4) return `${Math.round(value / 1e3)} k`
  return grouped(value)
}

/** A 32-bit word as eight hexadecimal digits. */
export const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

/** "1 hop", "2 hops". */
export const plural = (value: number, noun: string): string =>
  `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`

/** "just now", "12 min", "3 h", then a date. */
export function ago(time: number, now = Date.now()): string {
  const minutes = (now - time) / 60_000
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${Math.floor(minutes)} min ago`
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`
  return new Date(time).toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
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
  [/fetch/i, 'plain HTTP'],
  [/webgpu/i, 'WebGPU'],
  [/wasm/i, 'WebAssembly'],
]

/** Name for people of a link or a backend, which name themselves for programs: "cpu (wasm-simd)". */
export const way = (kind: string): string => ways.find(([pattern]) => pattern.test(kind))?.[1] ?? kind
