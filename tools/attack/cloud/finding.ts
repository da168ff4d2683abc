/** What an attack of the cloud's brought back. */

/** What the cloud knows besides the veiled model, from the least to the most. */
export const knowledge = ['nothing', 'domain', 'table', 'base', 'weights'] as const
export type Knowledge = (typeof knowledge)[number]

/** One measured attack. All figures are lower bounds: a better attack may read more. */
export interface Finding {
  readonly attack: string
  readonly knows: Knowledge
  /** What it knew, and of how much text, in words. */
  readonly knew: string
  /** What is recovered, by name: shares in [0, 1], correlations, or perplexities. */
  readonly recovered: Readonly<Record<string, number>>
  /** Whether what comes back are words of users, and which figure of `recovered` says how many. */
  readonly reads?: string
  readonly seconds: number
}

/** Runs an attack and times it. */
export async function timed(
  about: Pick<Finding, 'attack' | 'knows' | 'knew' | 'reads'>,
  run: () => Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>,
): Promise<Finding> {
  const started = performance.now()
  const recovered = await run()
  return { ...about, recovered, seconds: (performance.now() - started) / 1000 }
}
