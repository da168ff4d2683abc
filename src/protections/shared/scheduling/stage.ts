/** The deals of one kind that are under way: those that could use the thread now, in turn. */
export class Stage {
  /** How many are under way, but for those that wait for another party. */
  places = 0
  readonly #ready: (() => void)[] = []

  get isReady(): boolean {
    return this.#ready.length > 0
  }

  /** @param go begins the slice */
  add(go: () => void): void {
    this.#ready.push(go)
  }

  take(): (() => void) | undefined {
    return this.#ready.shift()
  }
}
