/**
 * Whatever the browser keeps for this page. A person, a policy or a full disk may forbid it: then everything works, nothing
 * is kept, and the store `storage` says so.
 */
import { clear, createStore, del, entries, get, getMany, keys, set, type UseStore } from 'idb-keyval'
import { t } from '../language.ts'
import { ERASED } from '../offline/erased.ts'
import { Store } from './store.ts'

/** Why nothing is kept, once something could not be; nothing while all is well. */
export const storage = new Store<{ text?: string }>({})

function report(error: unknown): void {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError'
  storage.set({ text: t(isFull ? 'storage.full' : 'storage.blocked') })
}

/** What is kept could not be read, so whether there is anything is not known. */
export class NotRead extends Error {
  override readonly name = 'NotRead'

  constructor() {
    super(t('storage.unread'))
  }
}

/** A `Storage` that never throws; while it is forbidden, or full, what is written lasts as long as the page. */
class KeyValues {
  readonly #open: () => Storage
  readonly #written = new Map<string, string>()

  constructor(open: () => Storage) {
    this.#open = open
  }

  get(key: string): string | null {
    const written = this.#written.get(key)
    if (written !== undefined) return written
    try {
      return this.#open().getItem(key)
    } catch {
      return null
    }
  }

  set(key: string, value: string): void {
    try {
      this.#open().setItem(key, value)
      this.#written.delete(key)
    } catch (error) {
      this.#written.set(key, value)
      report(error)
    }
  }

  delete(key: string): void {
    this.#written.delete(key)
    try {
      this.#open().removeItem(key)
    } catch {
      // Then it is not there.
    }
  }

  clear(): void {
    this.#written.clear()
    try {
      this.#open().clear()
    } catch {
      // Then there is nothing in it.
    }
  }
}

// Even naming them throws where they are forbidden.
export const local = new KeyValues(() => localStorage)
export const session = new KeyValues(() => sessionStorage)

/** A database of values by key; while it is forbidden, or full, they last as long as the page. */
export class Database<T> {
  readonly #name: string
  readonly #within: string
  /** What could not be stored. */
  readonly #kept = new Map<string, T>()
  #opened: UseStore | undefined

  /** @param within a database that has this one table alone. */
  constructor(name: string, within = `sotto-${name}`) {
    this.#name = name
    this.#within = within
  }

  async keys(): Promise<string[]> {
    const stored = await this.#try((store) => keys<string>(store), [])
    return [...new Set([...stored, ...this.#kept.keys()])]
  }

  /** Nothing where it cannot be read, either. */
  async get(key: string): Promise<T | undefined> {
    return this.read(key).catch(() => undefined)
  }

  /** Nothing only where there is nothing. Throws {@link NotRead}. */
  async read(key: string): Promise<T | undefined> {
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const found = await this.#try(async (store) => ({ value: await get<T>(key, store) }), undefined)
    if (!found) throw new NotRead()
    return found.value
  }

  /** All of it. Throws {@link NotRead}. */
  async entries(): Promise<[string, T][]> {
    const stored = await this.#try((store) => entries<string, T>(store), undefined)
    if (!stored) throw new NotRead()
    return [...new Map([...stored, ...this.#kept])]
  }

  async many(wanted: readonly string[]): Promise<(T | undefined)[]> {
    const stored = await this.#try((store) => getMany<T | undefined>([...wanted], store), [])
    return wanted.map((key, at) => this.#kept.get(key) ?? stored[at])
  }

  /** Whether it is stored, and not in this page's memory alone. */
  async set(key: string, value: T): Promise<boolean> {
    const isStored = await this.#try((store) => set(key, value, store).then(() => true), false)
    if (!isStored) this.#kept.set(key, value)
    else if (this.#kept.delete(key) || this.#kept.size > 0) await this.#catchUp()
    return isStored
  }

  async delete(key: string): Promise<void> {
    this.#kept.delete(key)
    await this.#try((store) => del(key, store), undefined)
  }

  async clear(): Promise<void> {
    this.#kept.clear()
    await this.#try((store) => clear(store), undefined)
  }

  /** There is room again. */
  async #catchUp(): Promise<void> {
    for (const [key, value] of this.#kept) {
      if (!(await this.#try((store) => set(key, value, store).then(() => true), false))) return
      this.#kept.delete(key)
    }
    storage.set({ text: undefined })
  }

  async #try<R>(run: (store: UseStore) => Promise<R>, otherwise: R): Promise<R> {
    try {
      // `indexedDB` itself throws where it is forbidden.
      this.#opened ??= createStore(this.#within, this.#name)
      return await run(this.#opened)
    } catch (error) {
      report(error)
      return otherwise
    }
  }
}

/** Tells the other tabs of this page something, where they can be told. */
export function openChannel(name: string): Pick<BroadcastChannel, 'postMessage' | 'addEventListener'> {
  try {
    return new BroadcastChannel(name)
  } catch {
    return { postMessage: () => undefined, addEventListener: () => undefined }
  }
}

/** Removes everything that was downloaded, the page itself and who keeps it included. */
export async function clearCaches(): Promise<void> {
  try {
    for (const keeper of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
      // It answers open tabs until they are closed.
      for (const worker of [keeper.installing, keeper.waiting, keeper.active]) worker?.postMessage(ERASED)
      await keeper.unregister()
    }
    for (const name of await caches.keys()) await caches.delete(name)
  } catch {
    // Then there is nothing in them.
  }
}
