/** The conversations that this browser keeps, as the page lists them. */
import { type Conversation, list, onOtherTab, remove, save, wipe } from './conversations.ts'
import { Store } from './store.ts'

export interface LibraryState {
  /** Latest first. */
  kept: Conversation[]
  /** Deleted just now, and still to be had back. */
  removed?: Conversation
}

export class Library extends Store<LibraryState> {
  constructor() {
    super({ kept: [] })
    onOtherTab(() => this.refresh())
  }

  async refresh(): Promise<void> {
    this.set({ kept: await list(), removed: undefined })
  }

  async keep(conversation: Conversation): Promise<void> {
    await save(conversation)
    await this.refresh()
  }

  /** Deletes a conversation; it can be had back until something else happens to the list. */
  async remove(removed: Conversation): Promise<void> {
    await remove(removed.id)
    await this.refresh()
    this.set({ removed })
  }

  async undo(): Promise<void> {
    if (this.state.removed) await this.keep(this.state.removed)
  }

  async wipe(): Promise<void> {
    await wipe()
    await this.refresh()
  }
}

export const library = new Library()
