/** How a command ends other than well. */

/** The command line is wrong; the message is for the person who typed it. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly advice?: string

  /** @param advice where to look, or what to type instead; printed on a line of its own. */
  constructor(message: string, advice?: string) {
    super(message)
    this.advice = advice
  }
}

/** Ends a command early with a given exit code, after it has said why. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}
