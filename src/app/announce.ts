/** Turns a stream of tokens into sentences for a screen reader, which would otherwise read it syllable by syllable. */
import { Store } from './state/store.ts'

/** Formatting marks are for the eye. */
const plain = (markdown: string) =>
  markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*(?:#+|>|[-*]|\d+\.)\s+/gm, '')
    .replace(/[*`]|\b_|_\b/g, '')
    .replace(/\s+/g, ' ')
    .trim()

export class Announcer extends Store<{ sentence: string }> {
  #pending = ''

  constructor() {
    super({ sentence: '' })
  }

  add(text: string): void {
    this.#pending += text
    const end = /^[\s\S]*?[.!?\n]["')\]]*\s/.exec(this.#pending)
    if (!end) return
    this.#say(end[0])
    this.#pending = this.#pending.slice(end[0].length)
  }

  /** Says what is left when the reply is complete. */
  flush(): void {
    this.#say(this.#pending)
    this.#pending = ''
  }

  #say(text: string): void {
    const sentence = plain(text)
    if (sentence) this.set({ sentence })
  }
}
