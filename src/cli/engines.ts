/** The engine's classes, loaded only by the processes that run them. */

import type { CatalogEntry } from '../server/catalog.ts'
import type { DealerEngine, ServerEngine } from '../session/parties.ts'

export async function serverEngine(_catalog: readonly CatalogEntry[]): Promise<ServerEngine> {
  throw new Error('The engine is not in this build yet.')
}

export async function dealerEngine(): Promise<() => DealerEngine> {
  throw new Error('The engine is not in this build yet.')
}
