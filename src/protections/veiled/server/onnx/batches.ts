/** Which requests go into the engine's next run. */

/** A request of the text at a place. */
export interface Waiting {
  readonly place: number
  /** How many tokens it still reads. */
  readonly tokens: number
}

/**
 * The longest row of neighbours that read one token each, or else the first request by itself. Texts that read long prompts
 * take turns with those that are being written: whichever ran last lets the other go first.
 */
export function nextBatch<T extends Waiting>(waiting: readonly T[], wasSingle: boolean): T[] {
  const singles = waiting.filter(({ tokens }) => tokens === 1).sort((a, b) => a.place - b.place)
  const longer = waiting.find(({ tokens }) => tokens > 1)
  if (longer && (wasSingle || singles.length === 0)) return [longer]
  let best: T[] = []
  let row: T[] = []
  for (const one of singles) {
    row = row.length > 0 && row[row.length - 1].place + 1 === one.place ? [...row, one] : [one]
    if (row.length > best.length) best = row
  }
  return best
}
