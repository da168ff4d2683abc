/** Dealt chunks on their way to the server, by pass. */
export class MaterialQueue {
  readonly #chunks = new Map<number, Uint8Array[]>()
  readonly #waiting = new Map<number, (chunk: Uint8Array) => void>()

  /** The chunk is copied. */
  put(pass: number, view: Uint8Array): void {
    const chunk = view.slice()
    const wake = this.#waiting.get(pass)
    this.#waiting.delete(pass)
    if (wake) wake(chunk)
    else this.#chunks.set(pass, [...(this.#chunks.get(pass) ?? []), chunk])
  }

  next(pass: number): Promise<Uint8Array> {
    const chunk = this.#chunks.get(pass)?.shift()
    if (chunk) return Promise.resolve(chunk)
    return new Promise((resolve) => this.#waiting.set(pass, resolve))
  }

  discard(pass: number): void {
    this.#chunks.delete(pass)
  }
}
