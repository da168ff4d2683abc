/** Formats replies as soon as the code for it is there: it is a third of the page's, and no part of its first picture. */
import { Store } from './store.ts'

class Formatter extends Store<{ render?: (text: string) => DocumentFragment }> {
  /** Until then, and where it cannot be loaded, replies show as they were written. */
  async load(): Promise<void> {
    this.set({ render: (await import('../markdown.ts')).render })
  }
}

export const formatter = new Formatter({})
