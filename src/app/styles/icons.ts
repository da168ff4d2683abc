/** The page's few icons, drawn on a 20-unit grid with one stroke. Decorative: their buttons carry the names. */
import { html, svg, type TemplateResult } from 'lit'

const icon = (content: TemplateResult, size = 20, kind = '') => html`<svg
  class=${kind}
  width=${size}
  height=${size}
  viewBox="0 0 20 20"
  fill="none"
  stroke="currentColor"
  stroke-width="1.5"
  stroke-linecap="round"
  stroke-linejoin="round"
  aria-hidden="true"
>
  ${content}
</svg>`

export const menu = icon(svg`<path d="M3.5 6h13M3.5 10h9M3.5 14h13"/>`)
export const plus = icon(svg`<path d="M10 4v12M4 10h12"/>`)
export const send = icon(svg`<path d="M10 16V4.5M5 9.5l5-5 5 5"/>`)
export const stop = icon(svg`<rect x="6" y="6" width="8" height="8" rx="1.5" fill="currentColor"/>`)
export const close = icon(svg`<path d="m5 5 10 10M15 5 5 15"/>`)
export const trash = icon(svg`<path d="M4 6h12M8 6V4h4v2M6 6l.6 10h6.8L14 6"/>`, 18)
export const edit = icon(
  svg`<path d="m4 16 .8-3.4L13 4.4a1.4 1.4 0 0 1 2 0l.6.6a1.4 1.4 0 0 1 0 2l-8.2 8.2L4 16Z"/>`,
  17,
)
export const copy = icon(
  svg`<rect x="7" y="7" width="9" height="9" rx="2"/><path d="M13 7V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v5a2 2 0 0 0 2 2h1"/>`,
  17,
)
export const check = icon(svg`<path d="m4.5 10.5 4 4 7-8.5"/>`, 17)
export const again = icon(svg`<path d="M16 10a6 6 0 1 1-1.8-4.3L16 7.4M16 4v3.4h-3.4"/>`, 17)
/** Those that point along the lines turn round where lines run the other way. */
export const left = icon(svg`<path d="m11.5 5-5 5 5 5"/>`, 16, 'along')
export const right = icon(svg`<path d="m8.5 5 5 5-5 5"/>`, 16, 'along')
export const down = icon(svg`<path d="M10 4v12M5 11l5 5 5-5"/>`)
export const pin = html`<svg class="pinned" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">
  <path d="M7 3.5h6M8 3.5v5L5.5 12h9L12 8.5v-5M10 12v4.5" />
</svg>`
export const more = icon(svg`<path d="M5 10h.01M10 10h.01M15 10h.01" stroke-width="2.4"/>`, 18)
export const gear = icon(
  svg`<path d="M4 6.5h5.5M13.5 6.5H16M4 13.5h2.5M10.5 13.5H16"/><circle cx="11.5" cy="6.5" r="2"/><circle cx="8.5" cy="13.5" r="2"/>`,
)
export const fading = icon(
  svg`<path d="M10 3.5a6.5 6.5 0 0 1 0 13"/><path d="M10 16.5a6.5 6.5 0 0 1 0-13" stroke-dasharray="1.5 3"/><path d="M10 7v3.2l2 1.6"/>`,
)
export const eye = icon(
  svg`<path d="M2.5 10S5.2 5 10 5s7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5Z"/><circle cx="10" cy="10" r="2.2"/>`,
)
export const arrow = icon(svg`<path d="M4 10h11.5M11 5.5l4.5 4.5-4.5 4.5"/>`, 16, 'along')

/** The mark: a hairpin, as for "softer" in a score. You are its point; the two at its ends must not meet. */
export const mark = html`<svg width="26" height="20" viewBox="0 0 26 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" aria-hidden="true">
  <path d="M4 10 22 3.5M4 10l18 6.5" />
  <circle cx="4" cy="10" r="2.3" fill="var(--you)" stroke="none" />
  <circle cx="22" cy="3.5" r="2.3" fill="var(--server)" stroke="none" />
  <circle cx="22" cy="16.5" r="2.3" fill="var(--dealer)" stroke="none" />
</svg>`
