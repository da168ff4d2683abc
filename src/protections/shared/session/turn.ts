/** What a deal that is under way asks of who else deals on the same thread. */
export interface Turn {
  /** To be awaited between two pieces of work: resolves at once, or when the deal's next slice begins. */
  next(): Promise<void>
  /** The deal awaits something that computes elsewhere: others have slices meanwhile, and it keeps its place. */
  computing<T>(result: Promise<T>): Promise<T>
  /** The deal awaits another party: others have slices, and its place, meanwhile. */
  waiting<T>(result: Promise<T>): Promise<T>
}

/** What a party's thread is wanted for. */
export interface Job {
  /** Whose it is: a network address, then a session, whose jobs run one after another. */
  readonly peer: string
  readonly session: string
  /** Bytes that are dealt for it. */
  readonly cost: number
  /** Rows put in. */
  readonly rows: number
  /** Never rejects. */
  run(turn: Turn): Promise<void>
}

/** Who says which job is next. */
export interface PassScheduler {
  submit(job: Job): void
}

/** For a pass that has the thread to itself. */
export const undisturbed: Turn = {
  next: async () => undefined,
  computing: (result) => result,
  waiting: (result) => result,
}
