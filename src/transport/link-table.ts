/** Which links there are, and who may have one more. */
import { LinkError } from './errors.ts'
import { limits } from './limits.ts'
import type { ReliableLink } from './reliable.ts'

interface Entry {
  readonly link: ReliableLink
  readonly peer: string
}

export interface LinkPlaces {
  /** Links of peers that have introduced themselves. */
  readonly maxLinks: number
  /** Links of one address, introduced or not. */
  readonly maxLinksPerPeer: number
}

/**
 * Links by their token. Those of strangers have a small room of their own, in which a newcomer takes the oldest place of
 * the address that has most: however many wait there without a word, somebody who means it is let in.
 */
export class LinkTable {
  readonly #links = new Map<string, Entry>()
  readonly #places: LinkPlaces

  constructor(places: LinkPlaces) {
    this.#places = places
  }

  get size(): number {
    return this.#links.size
  }

  get all(): ReliableLink[] {
    return [...this.#links.values()].map(({ link }) => link)
  }

  get(token: string): ReliableLink | undefined {
    return this.#links.get(token)?.link
  }

  /** Throws `LinkError` `refused` where `peer` has no place left. */
  admit(peer: string): void {
    const { maxLinks, maxLinksPerPeer } = this.#places
    if (this.#count(({ link }) => link.isGreeted) >= maxLinks)
      throw new LinkError('refused', 'The server has no free connections.')
    if (this.#count((entry) => entry.peer === peer) >= maxLinksPerPeer)
      throw new LinkError('refused', 'Too many connections from this address.')
  }

  /** Keeps a link until it ends; one of a stranger has its place in the house once the stranger is greeted. */
  add(token: string, link: ReliableLink, peer: string): void {
    if (!link.isGreeted) this.#makeRoom()
    this.#links.set(token, { link, peer })
    link.onEnd(() => this.#links.delete(token))
    link.onGreeted(() => {
      if (this.#count((entry) => entry.link.isGreeted) > this.#places.maxLinks)
        link.fail(new LinkError('refused', 'The server has no free connections.'))
    })
  }

  clear(): void {
    this.#links.clear()
  }

  #makeRoom(): void {
    const strangers = [...this.#links.values()].filter(({ link }) => !link.isGreeted)
    if (strangers.length < limits.strangers) return
    const most = largestGroup(strangers)
    most[0].link.fail(new LinkError('refused', 'Too many connections were opened without a word.'))
  }

  #count(has: (entry: Entry) => boolean): number {
    let count = 0
    for (const entry of this.#links.values()) if (has(entry)) count++
    return count
  }
}

/** Entries of the address that has most of them, oldest first. */
export function largestGroup<E extends { readonly peer: string }>(entries: readonly E[]): E[] {
  const groups = new Map<string, E[]>()
  for (const entry of entries) groups.set(entry.peer, [...(groups.get(entry.peer) ?? []), entry])
  return [...groups.values()].reduce((most, group) => (group.length > most.length ? group : most))
}
