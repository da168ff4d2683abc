/** An owner's coin for audits. */

/** How probable it is that a pass is audited, where nothing is said; the most that a server puts up with. */
export const AUDITED = 1 / 16
export const MOST_AUDITED = 1 / 4

/** Of that probability, what falls to passes of one row behind others, of which there are many. */
export const OF_ROWS = 1 / 4

/** How probable it is that a rehearsal goes on with one more pass. */
export const GOES_ON = 7 / 8

/** True with a probability, by the system's generator: to 32 bits. */
export const toss = (
  probability: number,
  random = (words: Uint32Array<ArrayBuffer>) => crypto.getRandomValues(words),
): boolean => random(new Uint32Array(1))[0] < probability * 2 ** 32
