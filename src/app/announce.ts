/** Turns a stream of tokens into sentences for a screen reader, which would otherwise read it syllable by syllable. */
import { Store } from './state/store.ts'

export class Announcer extends Store<{ sentence: string }> {
  #pending = ''

  constructor() {
    super({ sentence: '' })
  }

  add(text: string): void {
    this.#pending += text
    const end = /^[\s\S]*?[.!?\n]["')\]]*\s/.exec(this.#pending)
    if (!end) return
    this.set({ sentence: end[0].trim() })
    this.#pending = this.#pending.slice(end[0].length)
  }

  /** Says what is left when the reply is complete. */
  flush(): void {
    if (this.#pending.trim()) this.set({ sentence: this.#pending.trim() })
    this.#pending = ''
  }
}
