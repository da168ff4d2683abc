/**
 * Whatever the browser keeps for this page. A person, a policy or a full disk may forbid it: then everything works, nothing
 * is kept, and the store `storage` says so.
 */
import { clear, createStore, del, set, type UseStore, values } from 'idb-keyval'
import { Store } from './store.ts'

/** Why nothing is kept, once something could not be; nothing while all is well. */
export const storage = new Store<{ text?: string }>({})

const BLOCKED =
  'This browser keeps nothing for this page: conversations and settings are gone once you close it.'
const FULL =
  'The browser has no room left: what you write from now on is gone once you close this page. Delete something old, or free some space.'

function report(error: unknown): void {
  const isFull = error instanceof DOMException && error.name === 'QuotaExceededError'
  storage.set({ text: isFull ? FULL : BLOCKED })
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
  readonly #kept = new Map<string, T>()
  #opened: UseStore | undefined

  constructor(name: string) {
    this.#name = name
  }

  async values(): Promise<T[]> {
    const stored = await this.#try((store) => values<T>(store), [])
    return [...stored, ...this.#kept.values()]
  }

  async set(key: string, value: T): Promise<void> {
    const isStored = await this.#try((store) => set(key, value, store).then(() => true), false)
    if (isStored) this.#kept.delete(key)
    else this.#kept.set(key, value)
  }

  async delete(key: string): Promise<void> {
    this.#kept.delete(key)
    await this.#try((store) => del(key, store), undefined)
  }

  async clear(): Promise<void> {
    this.#kept.clear()
    await this.#try((store) => clear(store), undefined)
  }

  async #try<R>(run: (store: UseStore) => Promise<R>, otherwise: R): Promise<R> {
    try {
      // `indexedDB` itself throws where it is forbidden.
      this.#opened ??= createStore('sotto', this.#name)
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

/** Removes everything that was downloaded. */
export async function clearCaches(): Promise<void> {
  try {
    for (const name of await caches.keys()) await caches.delete(name)
  } catch {
    // Then there is nothing in them.
  }
}

/** Runs something under a lock, which keeps the browser from freezing a background tab meanwhile, where there are locks. */
export async function unfrozen<T>(name: string, run: () => Promise<T>): Promise<T> {
  let isBegun = false
  const begun = (): Promise<T> => {
    isBegun = true
    return run()
  }
  try {
    return navigator.locks ? await navigator.locks.request(name, begun) : await begun()
  } catch (error) {
    // Where storage is forbidden so are locks.
    if (isBegun) throw error
    return run()
  }
}
