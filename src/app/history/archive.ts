/**
 * The conversations that this browser keeps, in IndexedDB and nowhere else. Tabs write one after another, each what it and
 * the others have; what was deleted leaves a mark, so that no tab that still has it brings it back.
 */
import { clearCaches, Database, local, locked, openChannel, session } from '../state/storage.ts'
import {
  type Conversation,
  fromStored,
  isEmpty,
  type LinearConversation,
  mergeConversations,
} from './conversation.ts'
import { NotKept, type Sealed, VaultLocked, vault } from './vault.ts'

type Stored = Conversation | LinearConversation | Sealed

/** What a tab tells the others. */
export type News = { kind: 'kept' | 'removed'; id: string } | { kind: 'erased' }

/** Read at once, so that the page answers in between. */
const AT_ONCE = 16

export class Archive {
  readonly #kept = new Database<Stored>('conversations', 'sotto')
  /** When a conversation was deleted, by its name; and which era this is. */
  readonly #marks = new Database<number>('marks')
  readonly #drafts = new Database<string | Sealed>('drafts')
  readonly #channel = openChannel('sotto.conversations')

  onNews(listener: (news: News) => void): void {
    this.#channel.addEventListener('message', (event) => listener((event as MessageEvent<News>).data))
  }

  async era(): Promise<number> {
    return (await this.#marks.get('era')) ?? 0
  }

  async get(id: string): Promise<Conversation | undefined> {
    return this.#open(id, await this.#kept.get(id))
  }

  /** All of them, some at a time. */
  async *all(): AsyncGenerator<Conversation[]> {
    const ids = await this.#kept.keys()
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE)
      const stored = await this.#kept.many(some)
      const opened = await Promise.all(stored.map((value, i) => this.#open(some[i], value)))
      yield opened.filter((conversation) => conversation !== undefined)
    }
  }

  /**
   * Keeps a conversation with whatever other tabs have added to it; resolves with both. With nothing where it has been
   * deleted meanwhile, or everything has been erased.
   */
  async keep(conversation: Conversation): Promise<Conversation | undefined> {
    const { id, temporary, era } = conversation
    if (temporary || isEmpty(conversation) || vault.state.state === 'locked') return conversation
    return locked('sotto.history', async () => {
      if (era !== (await this.era()) || (await this.#marks.get(`gone:${id}`)) !== undefined) return undefined
      const stored = await this.get(id)
      const merged = stored ? mergeConversations(stored, conversation) : conversation
      if (merged === stored) return merged
      try {
        await this.#kept.set(id, await vault.seal(id, merged))
      } catch (error) {
        // Another tab has locked it just now.
        if (error instanceof VaultLocked) return conversation
        throw error
      }
      this.#tell({ kind: 'kept', id })
      return merged
    })
  }

  /** Deletes one for good: in every tab, also in one that is asleep now. */
  async remove(id: string): Promise<void> {
    await locked('sotto.history', async () => {
      await this.#marks.set(`gone:${id}`, Date.now())
      await this.#kept.delete(id)
      await this.#drafts.delete(id)
    })
    this.#tell({ kind: 'removed', id })
  }

  /** Erases everything that this page keeps: conversations, drafts, settings, passphrase, downloads, its copy for offline. */
  async erase(): Promise<void> {
    await locked('sotto.history', async () => {
      const era = await this.era()
      await Promise.all([this.#kept.clear(), this.#drafts.clear(), this.#marks.clear()])
      await this.#marks.set('era', era + 1)
    })
    await vault.unprotect()
    local.clear()
    session.clear()
    await clearCaches()
    this.#tell({ kind: 'erased' })
  }

  async draft(id: string): Promise<string> {
    return (await vault.open(id, await this.#drafts.get(id))) ?? ''
  }

  /** @param era that it was written in: erased ones do not come back */
  async keepDraft(id: string, text: string, era: number): Promise<void> {
    if (vault.state.state === 'locked') return
    if (!text) return this.#drafts.delete(id)
    // At once where it may be readable: a page that is being left has no further turn.
    if (vault.state.state === 'off') await this.#drafts.set(id, text)
    // Whoever encrypts everything meanwhile, here or in another tab, may not have met it.
    await locked('sotto.history', async () => {
      await vault.refresh()
      const { state } = vault.state
      // A conversation that was deleted meanwhile takes its draft along.
      const isGone = era !== (await this.era()) || (await this.#marks.get(`gone:${id}`)) !== undefined
      if (isGone) await this.#drafts.delete(id)
      else if (state === 'open') await this.#drafts.set(id, await vault.seal(id, text))
      else if (state === 'locked') await this.#drafts.delete(id)
    })
  }

  /**
   * Encrypts all that is kept from now on, or with another passphrase; or, with none, no longer. Throws {@link VaultLocked},
   * and {@link NotKept} where the browser stores a record no more: the key stays, so that whatever was sealed can be opened.
   */
  async protect(passphrase: string | undefined): Promise<void> {
    await locked('sotto.history', async () => {
      await vault.refresh()
      if (vault.state.state === 'locked') throw new VaultLocked()
      const kept: Conversation[] = []
      for await (const some of this.all()) kept.push(...some)
      const drafts: [string, string][] = []
      for (const id of await this.#drafts.keys()) drafts.push([id, await this.draft(id)])
      if (passphrase !== undefined) await vault.protect(passphrase)
      const seal = <T>(id: string, value: T) => (passphrase === undefined ? value : vault.seal(id, value))
      let isStored = true
      for (const conversation of kept) {
        const { id } = conversation
        isStored = (await this.#kept.set(id, await seal(id, conversation))) && isStored
      }
      for (const [id, text] of drafts)
        isStored = (await this.#drafts.set(id, await seal(id, text))) && isStored
      if (!isStored)
        throw new NotKept(
          'The browser did not store all of it, so some is encrypted and some is readable. Free some space, then try again.',
        )
      if (passphrase === undefined) await vault.unprotect()
    })
  }

  #tell(news: News): void {
    this.#channel.postMessage(news)
  }

  async #open(id: string, stored: Stored | undefined): Promise<Conversation | undefined> {
    const opened = await vault.open(id, stored)
    return opened && fromStored(opened as Conversation | LinearConversation)
  }
}

export const archive = new Archive()
