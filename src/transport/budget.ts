/**
 * What others may make us hold and do. Each link has a budget, which charges its address's, which charges the house's;
 * everything is charged as it arrives, so that an announcement reserves nothing.
 */
import { LinkError } from './errors.ts'
import { limits } from './limits.ts'
import { Rate, type Spent } from './rate.ts'

/** All addresses together, and each of them. */
export class Budgets {
  readonly #peers = new Map<string, PeerBudget>()
  readonly #heldBytes: number
  #held = 0

  constructor(heldBytes: number = limits.heldBytes) {
    this.#heldBytes = heldBytes
  }

  /** Bytes held of everybody's, costs included. */
  get held(): number {
    return this.#held
  }

  /** Addresses that hold or owe something, or have links. */
  get size(): number {
    return this.#peers.size
  }

  /** A link's or a request's budget; `close` gives back what it holds. */
  open(peer: string): Budget {
    let address = this.#peers.get(peer)
    if (!address) {
      this.#forget()
      address = new PeerBudget()
      this.#peers.set(peer, address)
    }
    return new Budget(address, (bytes, own) => this.#take(bytes, own))
  }

  /**
   * Throws `LinkError` `overflow` where the house is full and this address has more than its share of it: what others
   * hoard costs nobody else their place.
   */
  #take(bytes: number, own: number): void {
    const full = bytes > 0 && this.#held + bytes > this.#heldBytes
    if (full && own + bytes > this.#heldBytes / Math.max(4, this.#holders))
      throw new LinkError('overflow', 'The server holds as much unread data as it can.')
    this.#held += bytes
  }

  get #holders(): number {
    let count = 0
    for (const { held } of this.#peers.values()) if (held > 0) count++
    return count
  }

  /** Those who have gone and owe nothing. */
  #forget(): void {
    if (this.#peers.size < 1024) return
    for (const [peer, budget] of this.#peers) if (budget.isIdle) this.#peers.delete(peer)
  }
}

class PeerBudget {
  readonly rate = new Rate(limits.peerRate)
  held = 0
  users = 0

  get isIdle(): boolean {
    return this.users === 0 && this.rate.isFull
  }
}

export class Budget {
  readonly #address: PeerBudget
  readonly #rate = new Rate(limits.linkRate)
  readonly #takeOfAll: (bytes: number, own: number) => void
  #held = 0
  #closed = false

  /** @param takeOfAll charges everybody's; throws where there is no room for this address. */
  constructor(address: PeerBudget, takeOfAll: (bytes: number, own: number) => void) {
    this.#address = address
    this.#takeOfAll = takeOfAll
    address.users++
  }

  /** Bytes that this link holds, costs included. */
  get held(): number {
    return this.#held
  }

  /** Sets what the link holds now. Throws `LinkError` `overflow` where that is more than its address may. */
  hold(bytes: number): void {
    if (this.#closed) return
    const more = bytes - this.#held
    if (more > 0 && this.#address.held + more > limits.heldBytesPerPeer)
      throw new LinkError('overflow', 'Too much unread data came from this address.')
    this.#takeOfAll(more, this.#address.held)
    this.#held = bytes
    this.#address.held += more
  }

  /** Charges work that was done. */
  spend(spent: Spent): void {
    this.#rate.spend(spent)
    this.#address.rate.spend(spent)
  }

  /** Milliseconds for which nothing more should be read from this peer. */
  get delayMs(): number {
    return Math.max(this.#rate.delayMs, this.#address.rate.delayMs)
  }

  close(): void {
    if (this.#closed) return
    this.hold(0)
    this.#closed = true
    this.#address.users--
  }
}
