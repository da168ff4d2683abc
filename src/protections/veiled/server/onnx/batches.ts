/** Which requests go into the engine's next run. */

/** A request of the text at a place. */
export interface Waiting {
  readonly place: number
  /** How many tokens it still reads. */
  readonly tokens: number
}

/**
 * Neighbours that read one token each, the one that has waited longest among them: `waiting` is in the order that they asked in.
 * Or else the first request by itself. Texts that read long prompts take turns with those that are being written: whichever
 * ran last lets the other go first.
 */
export function nextBatch<T extends Waiting>(waiting: readonly T[], wasSingle: boolean): T[] {
  const longer = waiting.find(({ tokens }) => tokens > 1)
  const oldest = waiting.find(({ tokens }) => tokens === 1)
  if (longer && (wasSingle || !oldest)) return [longer]
  if (!oldest) return []
  const singles = new Map(waiting.filter(({ tokens }) => tokens === 1).map((one) => [one.place, one]))
  const row: T[] = []
  let place = oldest.place
  while (singles.has(place - 1)) place--
  for (let one = singles.get(place); one; one = singles.get(++place)) row.push(one)
  return row
}
