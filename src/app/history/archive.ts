/**
 * The conversations that this browser keeps, in IndexedDB and nowhere else. Tabs write one after another, each what it and
 * the others have; what was deleted leaves a mark, so that no tab that still has it brings it back.
 */
import { t } from '../language.ts'
import { locked } from '../state/locks.ts'
import { clearCaches, Database, local, NotRead, openChannel, session } from '../state/storage.ts'
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

  /** Which era this is; nothing where that cannot be read: conversations of a wrong one would outlive an erasure. */
  async era(): Promise<number | undefined> {
    return this.#marks.read('era').then(
      (era) => era ?? 0,
      () => undefined,
    )
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
    // Whether it is older than an erasure could not be told.
    if (era === undefined) return conversation
    return locked('sotto.history', async () => {
      try {
        if (await this.#isGone(id, era)) return undefined
        const stored = await this.#open(id, await this.#kept.read(id))
        const merged = stored ? mergeConversations(stored, conversation) : conversation
        if (merged === stored) return merged
        await this.#kept.set(id, await vault.seal(id, merged))
        this.#tell({ kind: 'kept', id })
        return merged
      } catch (error) {
        // Another tab has locked it just now, or what it would be merged with is not known: it is kept the next time.
        if (error instanceof VaultLocked || error instanceof NotRead) return conversation
        throw error
      }
    })
  }

  /** Whether it has been deleted, or everything has been erased since. Throws `NotRead`. */
  async #isGone(id: string, era: number): Promise<boolean> {
    const isDeleted = (await this.#marks.read(`gone:${id}`)) !== undefined
    return isDeleted || era !== ((await this.#marks.read('era')) ?? 0)
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
      // Before anything else, and another one than any before without a look at that: wherever this ends, no tab that still
      // has a conversation brings it back.
      const era = 1 + crypto.getRandomValues(new Uint32Array(1))[0]
      const isStored = await this.#marks.set('era', era)
      await Promise.all([this.#kept.clear(), this.#drafts.clear()])
      // A full disk has room for it now.
      if (!isStored) await this.#marks.set('era', era)
      for (const name of await this.#marks.keys()) if (name !== 'era') await this.#marks.delete(name)
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

  /**
   * Resolves with whether it has been dealt with; if not it is to be stored later.
   * @param era that it was written in: erased ones do not come back
   */
  async keepDraft(id: string, text: string, era: number | undefined): Promise<boolean> {
    if (vault.isShut || era === undefined) return false
    if (!text) {
      await this.#drafts.delete(id)
      return true
    }
    // At once where it may be readable: a page that is being left has no further turn.
    const isReadable = vault.state.state === 'off'
    if (isReadable) await this.#drafts.set(id, text)
    // Whoever encrypts everything meanwhile, here or in another tab, may not have met it.
    return locked('sotto.history', async () => {
      try {
        await vault.refresh()
        // A conversation that was deleted meanwhile takes its draft along.
        if (await this.#isGone(id, era)) await this.#drafts.delete(id)
        else if (vault.state.state === 'open') await this.#drafts.set(id, await vault.seal(id, text))
        else if (vault.isShut) await this.#drafts.delete(id)
        return !vault.isShut
      } catch (error) {
        if (!(error instanceof NotRead)) throw error
        if (isReadable) await this.#drafts.delete(id)
        return false
      }
    })
  }

  /**
   * Encrypts all that is kept from now on, or with another passphrase; or, with none, no longer. Throws {@link VaultLocked},
   * {@link NotRead}, and {@link NotKept} where the browser stores a record no more: the key stays, so that whatever was sealed
   * can be opened.
   */
  async protect(passphrase: string | undefined): Promise<void> {
    await locked('sotto.history', async () => {
      await vault.refresh()
      if (vault.isShut) throw new VaultLocked()
      const kept: [string, Conversation | undefined][] = []
      for (const [id, stored] of await this.#kept.entries()) kept.push([id, await this.#open(id, stored)])
      const drafts: [string, string | undefined][] = []
      for (const [id, stored] of await this.#drafts.entries()) drafts.push([id, await vault.open(id, stored)])
      if (passphrase !== undefined) await vault.protect(passphrase)
      const seal = <T>(id: string, value: T) => (passphrase === undefined ? value : vault.seal(id, value))
      let isStored = true
      for (const [id, conversation] of kept)
        if (conversation) isStored = (await this.#kept.set(id, await seal(id, conversation))) && isStored
      for (const [id, text] of drafts)
        if (text) isStored = (await this.#drafts.set(id, await seal(id, text))) && isStored
      if (!isStored) throw new NotKept(t('kept.partly'))
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
