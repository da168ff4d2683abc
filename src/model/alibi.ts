/** Attention that falls with the distance, without positions in the embedding (ALiBi: Press et al., 2022). */

/** Scores fall by no more: what is so far is next to nothing in the sum already. */
const MOST = 24

/** How many octaves a score of head `head` of `heads` falls over `distance` positions: 2^(1 - 8 (head + 1) / heads) for each. */
export const alibi = (head: number, heads: number, distance: number): number =>
  Math.min(MOST, distance * 2 ** (1 - (8 * (head + 1)) / heads))
