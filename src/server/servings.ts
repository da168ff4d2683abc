/** A catalogue's bundles, each under the protection that takes it. */
import type { ServedListing } from '../handshake/listing.ts'
import type { CatalogEntry } from '../model/files/catalog.ts'
import { listingOf } from '../protections/listing.ts'
import type { ServeRequest, Serving, ServingProtection } from '../protections/serving.ts'

/** What to serve, and under which protections. */
export interface ServingsRequest extends Omit<ServeRequest, 'entries' | 'settings'> {
  readonly catalog: readonly CatalogEntry[]
  readonly protections: readonly ServingProtection[]
  /** Of each protection, by its id. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** All that a server serves. */
export interface Servings {
  readonly all: readonly Serving[]
  /** Who serves the model with this hash. */
  of(modelHash: string): Serving | undefined
  /** In the catalogue's order. */
  readonly listings: readonly ServedListing[]
}

/** Starts every protection that takes a bundle. Rejects, with all of them stopped, where one cannot serve it. */
export async function startServings({
  catalog,
  protections,
  settings,
  ...rest
}: ServingsRequest): Promise<Servings> {
  const entries = new Map<ServingProtection, CatalogEntry[]>()
  for (const entry of catalog) {
    const protection = protections.find((each) => each.takes(entry))
    if (!protection) throw new Error(`No protection serves ${entry.name}.`)
    entries.set(protection, [...(entries.get(protection) ?? []), entry])
  }
  for (const protection of protections)
    if (!entries.has(protection) && protection.bringsModels?.(settings[protection.id]))
      entries.set(protection, [])
  const all: Serving[] = []
  const brought: ServedListing[] = []
  const listed = new Map<string, ServedListing>()
  try {
    for (const [protection, own] of entries) {
      const { id } = protection
      const serving = await protection.serve({ ...rest, entries: own, settings: settings[id] })
      all.push(serving)
      for (const { modelHash, listing } of serving.models) {
        const entry = own.find(({ hash }) => hash === modelHash)
        if (entry) listed.set(modelHash, { ...listingOf(entry, id), ...listing })
      }
      for (const listing of serving.brought ?? [])
        brought.push({ ...listing, protection: id } as ServedListing)
    }
  } catch (error) {
    await Promise.allSettled(all.map((serving) => serving.stop()))
    throw error
  }
  const listings = [...catalog.flatMap(({ hash }) => listed.get(hash) ?? []), ...brought]
  const of = (modelHash: string): Serving | undefined =>
    all.find(
      ({ models, brought = [] }) =>
        models.some((model) => model.modelHash === modelHash) ||
        brought.some(({ hash }) => hash === modelHash),
    )
  return { all, of, listings }
}
