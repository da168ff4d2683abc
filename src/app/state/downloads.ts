/** What this browser keeps of models, so that it is downloaded once. */
import type { ModelListing } from '../../owner/api.ts'
import { local } from './storage.ts'
import { Store } from './store.ts'

/** Models' public files lie there under their addresses, `.../models/NAME/FILE`. */
const isOf = (name: string, url: string): boolean =>
  new URL(url).pathname.includes(`/models/${encodeURIComponent(name)}/`)

/** Caches of the page itself are not models. */
const modelCaches = async (): Promise<Cache[]> => {
  const names = (await caches.keys()).filter((name) => name.startsWith('sotto-models-'))
  return Promise.all(names.map((name) => caches.open(name)))
}

class Downloads extends Store<{ bytes: Readonly<Record<string, number>> }> {
  /** Finds out how many bytes of each model there are; none where nothing may be kept. */
  async look(): Promise<void> {
    const bytes: Record<string, number> = {}
    try {
      for (const cache of await modelCaches())
        for (const { url } of await cache.keys()) {
          const name = /\/models\/([^/]+)\//.exec(new URL(url).pathname)?.[1]
          if (!name) continue
          const size = (await (await cache.match(url))?.blob())?.size ?? 0
          const model = decodeURIComponent(name)
          bytes[model] = (bytes[model] ?? 0) + size
        }
    } catch {
      // Then there is nothing.
    }
    this.set({ bytes })
  }

  /** Drops what there is of a model; it is downloaded anew when it is next opened. */
  async remove({ name, hash }: ModelListing): Promise<void> {
    try {
      for (const cache of await modelCaches())
        for (const request of await cache.keys()) if (isOf(name, request.url)) await cache.delete(request)
    } catch {
      // Then there is nothing.
    }
    local.delete(`sotto.have.${hash}`)
    await this.look()
  }
}

export const downloads = new Downloads({ bytes: {} })
