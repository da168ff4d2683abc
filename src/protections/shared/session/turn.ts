/** What a deal that is under way asks of who else deals on the same thread. */
export interface Turn {
  /** To be awaited between two pieces of work: resolves at once, or when the deal's next slice begins. */
  next(): Promise<void>
  /** The deal awaits something that computes elsewhere: others have slices meanwhile, and it keeps its place. */
  computing<T>(result: Promise<T>): Promise<T>
  /** The deal awaits another party: others have slices, and its place, meanwhile. */
  waiting<T>(result: Promise<T>): Promise<T>
}

/** For a pass that has the thread to itself. */
export const undisturbed: Turn = {
  next: async () => undefined,
  computing: (result) => result,
  waiting: (result) => result,
}
