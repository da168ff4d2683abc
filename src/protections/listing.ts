/** What a model's listing says, from its bundle. */
import type { ServedListing } from '../handshake/listing.ts'
import type { ModelConfig } from '../model/architectures/config.ts'
import { isForOwner } from '../model/files/bundle.ts'
import { type CatalogEntry, countParameters } from '../model/files/catalog.ts'
import { isEmbedder } from '../model/graph/graph-of.ts'

function taskOf(config: ModelConfig): Pick<ServedListing, 'task' | 'labels' | 'pairs' | 'outputs'> {
  const { head } = config
  if (head?.kind === 'tag') return { task: 'classify', labels: head.labels, outputs: 'tags' }
  if (head?.kind !== 'classify') return { task: isEmbedder({ config }) ? 'embed' : 'chat' }
  const { labels, pairs, outputs } = head
  return { task: 'classify', labels, pairs, outputs }
}

/** @param protection id of what the model runs under. */
export function listingOf(
  { name, hash, manifest, files, evaluation }: CatalogEntry,
  protection: string,
): ServedListing {
  const forOwner = [...files].filter(([file]) => isForOwner(file))
  return {
    name,
    title: manifest.name,
    description: manifest.description,
    licence: manifest.license,
    hash,
    protection,
    publicBytes: forOwner.reduce((sum, [, { bytes }]) => sum + bytes.length, 0),
    context: manifest.config.context,
    ...countParameters(manifest),
    ...taskOf(manifest.config),
    evaluation,
  }
}
