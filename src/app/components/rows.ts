/** Which rows of a long list are in sight, so that no others are drawn. */

/** Rows beyond both ends, for whoever scrolls or tabs on. */
const BEYOND = 8

export interface Window {
  from: number
  to: number
}

/** @param height of a row, as the list is, in pixels; `top` and `view`: how far it is scrolled, and how much of it shows */
export function rowsInSight(
  count: number,
  { top, view, height }: { top: number; view: number; height: number },
): Window {
  const from = Math.max(0, Math.floor(top / height) - BEYOND)
  return { from: Math.min(from, count), to: Math.min(count, Math.ceil((top + view) / height) + BEYOND) }
}
