/** A veil's keys: one seed, from which every space of a model draws maps of its own. */
import { toBase64Url } from '../../src/handshake/encoding.ts'
import type { End, Group } from '../../src/protections/veiled/ends.ts'
import { OWNER_FORMAT, type OwnerKey } from '../../src/protections/veiled/owner-key.ts'
import { subSeed } from '../../src/protections/veiled/secret-stream.ts'
import type { DeveloperKey } from './developer-keys.ts'
import type { Space, SpaceMaps } from './space.ts'
import type { Described } from './tensor-spec.ts'

/** Maps that are kept: a layer's are asked for again and again, those of layers before it never. */
const KEPT = 32

export class VeilKeys {
  readonly group: Group
  readonly #seed: Uint8Array
  readonly #maps = new Map<string, SpaceMaps>()

  /** @param seed 32 bytes of the system's generator. */
  constructor(seed: Uint8Array, group: Group) {
    this.#seed = seed
    this.group = group
  }

  /** The maps of a space, the same every time. */
  maps(space: Space): SpaceMaps {
    const maps = this.#maps.get(space.id) ?? space.maps(this.#seedOf(space.id), this.group)
    // What was asked for last goes last.
    this.#maps.delete(space.id)
    this.#maps.set(space.id, maps)
    for (const id of this.#maps.keys()) if (this.#maps.size > KEPT) this.#maps.delete(id)
    return maps
  }

  /**
   * What data owners get: seeds of the ends alone, which tell nothing of the one that they come from. `withRows`: the
   * stream's, too, for engines that take embedded rows.
   */
  ownerKey(about: DeveloperKey, { ends, labels, givesRows }: Described, withRows: boolean): OwnerKey {
    const { seed: _, ...head } = about
    const seeded = Object.entries(ends)
      .filter(([name]) => name !== 'rows' || givesRows || withRows)
      .map(([name, end]: [string, End]) => [name, { ...end, seed: toBase64Url(this.#seedOf(name)) }])
    return {
      format: OWNER_FORMAT,
      ...head,
      ends: Object.fromEntries(seeded),
      ...(labels ? { labels: [...labels] } : {}),
    }
  }

  #seedOf(id: string): Uint8Array {
    return subSeed(this.#seed, `space ${id}`)
  }
}
