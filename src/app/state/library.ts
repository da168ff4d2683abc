/** The conversations that this browser keeps, as the page lists them. */
import { archive } from '../history/archive.ts'
import { type Conversation, mergeConversations } from '../history/conversation.ts'
import { newId } from '../history/tree.ts'
import { VaultLocked, vault } from '../history/vault.ts'
import { Store } from './store.ts'

export interface LibraryState {
  /** Pinned ones first, then the latest. */
  kept: readonly Conversation[]
  /** Deleted last, and still to be had back. */
  removed?: Conversation
}

const inOrder = (a: Conversation, b: Conversation): number =>
  Number(b.pinned.value) - Number(a.pinned.value) || b.updated - a.updated || (a.id < b.id ? -1 : 1)

export class Library extends Store<LibraryState> {
  constructor() {
    super({ kept: [] })
  }

  /** Reads what is kept, some of it at a time. */
  async load(): Promise<void> {
    for await (const some of archive.all()) this.#put(some)
  }

  /** Forgets what it has read. */
  close(): void {
    this.set({ kept: [], removed: undefined })
  }

  find(id: string): Conversation | undefined {
    return this.state.kept.find((conversation) => conversation.id === id)
  }

  /** Keeps a conversation; resolves with what other tabs have added to it, or with nothing where it is deleted. */
  async keep(conversation: Conversation): Promise<Conversation | undefined> {
    const merged = await archive.keep(conversation)
    if (merged && !merged.temporary && Object.keys(merged.turns).length > 0) this.#put([merged])
    if (!merged) this.drop(conversation.id)
    return merged
  }

  /**
   * Takes in conversations from a file; one that was deleted here comes back under another name. Throws `VaultLocked`:
   * nothing would be stored.
   */
  async takeIn(conversations: readonly Conversation[]): Promise<void> {
    if (vault.state.state === 'locked') throw new VaultLocked()
    for (const conversation of conversations)
      if (!(await this.keep(conversation))) await this.keep({ ...conversation, id: newId() })
  }

  /** Another tab has kept it. */
  async refresh(id: string): Promise<Conversation | undefined> {
    const conversation = await archive.get(id)
    if (conversation) this.#put([conversation])
    return conversation
  }

  /** It is no longer there. */
  drop(id: string): void {
    if (this.find(id)) this.set({ kept: this.state.kept.filter((conversation) => conversation.id !== id) })
  }

  /** Deletes a conversation; the last one that was can be had back as long as this tab is open. */
  async remove(removed: Conversation): Promise<void> {
    this.drop(removed.id)
    this.set({ removed })
    await archive.remove(removed.id)
  }

  /** Under another name: what has been deleted stays so, in every tab. */
  async undo(): Promise<Conversation | undefined> {
    const { removed } = this.state
    this.set({ removed: undefined })
    return removed && this.keep({ ...removed, id: newId() })
  }

  #put(some: readonly Conversation[]): void {
    const byId = new Map(this.state.kept.map((conversation) => [conversation.id, conversation]))
    for (const conversation of some) {
      const known = byId.get(conversation.id)
      byId.set(conversation.id, known ? mergeConversations(known, conversation) : conversation)
    }
    this.set({ kept: [...byId.values()].sort(inOrder) })
  }
}

export const library = new Library()
