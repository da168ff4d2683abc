/** Looks that a page around us chose, as far as they are looks. */
import type { Look } from '../../widget/messages.ts'

/** A number of pixels that a corner may have. */
const RADIUS = /^\d{1,2}(\.\d+)?px$/

/** Sets what is a theme, an opaque colour or a radius, and nothing else. */
export function wear({ theme, accent, radius }: Look): void {
  const { dataset, style } = document.documentElement
  dataset.theme = theme === 'light' || theme === 'dark' ? theme : 'auto'
  // Hexadecimal alone: a transparent colour could hide what consent is given to.
  if (accent !== undefined && /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(accent)) {
    style.setProperty('--you', accent)
    style.setProperty('--on-you', isDark(accent) ? '#fff' : '#000')
  }
  if (radius !== undefined && RADIUS.test(radius)) style.setProperty('--radius', radius)
}

/** By its relative luminance, roughly: whether white is easier to read on it than black. */
function isDark(hex: string): boolean {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((d) => d + d) : hex.slice(1).match(/../g)!
  const [r, g, b] = digits.map((d) => (Number.parseInt(d, 16) / 255) ** 2.2)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.18
}
