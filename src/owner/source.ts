/** Where an owner's models come from. */
import { fetchListings, type ServedListing, type ServedListings } from '../handshake/listing.ts'
import { loadPublic, type PublicModel } from '../model/files/bundle.ts'
import { BundleError } from '../model/files/bundle-error.ts'
import type { Platform } from './platform.ts'

/** A place that has models: a server, or a disk. */
export interface ModelSource {
  /** What is on offer. Rejects with `SessionError`. */
  list(): Promise<ServedListings>
  /** A model and those of its tensors that are to be had. Rejects with `BundleError`. */
  load(listing: ServedListing, onProgress: (loaded: number, total: number) => void): Promise<PublicModel>
}

/** The models of a server, of which it gives away the public tensors. */
export const servedModels = (server: string, platform: Platform): ModelSource => ({
  list: () => fetchListings(server, platform.connect.fetch),
  async load({ name, hash }, onProgress) {
    const base = new URL(`/api/models/${name}/`, server).href
    const get = () =>
      loadPublic((file) => platform.download(base + file, hash), {
        expectedHash: hash,
        onProgress: ({ loaded, total, file }) => {
          if (file === 'public.safetensors') onProgress(loaded, total)
        },
      })
    try {
      return await get()
    } catch (error) {
      // A damaged copy in the browser's cache must not outlive its discovery.
      if (!(error instanceof BundleError) || error.code !== 'hash-mismatch' || !platform.forget) throw error
      await platform.forget(hash)
      return get()
    }
  },
})
