/** Bytes that several caches may hold together. */
export class ByteBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Takes so many bytes, if they are left; says whether. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes
  }
}
