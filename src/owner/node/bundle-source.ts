/** Whole bundles on this disk as a source of models, for protections that run without a server. */
import { loadBundle } from '../../model/files/bundle-node.ts'
import { readCatalog } from '../../model/files/catalog.ts'
import { listingOf } from '../../protections/listing.ts'
import type { ModelSource } from '../source.ts'

/**
 * The bundles in `folder`, or the one that it is itself, to run under a protection. Rejects with a plain explanation where
 * there is none.
 */
export async function bundleSource(folder: string, protection: string): Promise<ModelSource> {
  const catalog = await readCatalog(folder)
  return {
    list: async () => ({ serverKey: '', models: catalog.map((entry) => listingOf(entry, protection)) }),
    async load({ name }) {
      const entry = catalog.find((each) => each.name === name)
      if (!entry) throw new RangeError(`There is no model ${name} in ${folder}.`)
      return loadBundle(entry.dir)
    },
  }
}
