/** Material that was sent to servers and is not yet used there: so much in all, and so much for one address. */

export interface PoolLimits {
  /** Bytes of one session, one address, and all of them. */
  materialAheadBytes: number
  materialBytesPerPeer: number
  materialBytes: number
  /** Whoever has used nothing for so long makes room when others wait for it. */
  unusedMs: number
}

/** One session's part. */
export interface Account {
  /** Resolves when the session may send, or `isOver` says that it needs not. */
  room(isOver: () => boolean): Promise<void>
  /** Whether it may send now. */
  readonly hasRoom: boolean
  sent(bytes: number): void
  used(bytes: number): void
  /** The session is over, and its server has forgotten what it had. */
  close(): void
}

interface Entry {
  readonly peer: string
  /** Ends the session. */
  readonly evict: () => void
  held: number
  lastUsed: number
}

interface Waiter {
  readonly entry: Entry
  readonly wake: () => void
}

export class MaterialPool {
  readonly #limits: PoolLimits
  readonly #now: () => number
  readonly #entries = new Set<Entry>()
  readonly #peers = new Map<string, number>()
  #waiters: Waiter[] = []
  #held = 0

  constructor(limits: PoolLimits, now = () => performance.now()) {
    this.#limits = limits
    this.#now = now
  }

  get held(): number {
    return this.#held
  }

  /** @param evict ends the session, and with it its account */
  open(peer: string, evict: () => void): Account {
    const entry: Entry = { peer, evict, held: 0, lastUsed: this.#now() }
    this.#entries.add(entry)
    const pool = this
    return {
      get hasRoom() {
        return pool.#hasRoom(entry)
      },
      room: async (isOver) => {
        while (!isOver() && !this.#hasRoom(entry))
          await new Promise<void>((wake) => this.#waiters.push({ entry, wake }))
      },
      sent: (bytes) => {
        // Before it had nothing to use.
        if (entry.held === 0) entry.lastUsed = this.#now()
        this.#move(entry, bytes)
      },
      used: (bytes) => {
        entry.lastUsed = this.#now()
        this.#move(entry, -Math.min(bytes, entry.held))
        this.wake()
      },
      close: () => {
        if (!this.#entries.delete(entry)) return
        this.#move(entry, -entry.held)
        this.wake()
      },
    }
  }

  /** Lets all who wait look again. */
  wake(): void {
    for (const { wake } of this.#waiters.splice(0)) wake()
  }

  /** Makes room for those who wait for others': evicts, of those who use nothing, who has done so for longest. */
  evictUnused(): void {
    const { materialAheadBytes, unusedMs } = this.#limits
    for (const { entry } of [...this.#waiters]) {
      if (entry.held >= materialAheadBytes || this.#hasRoom(entry)) continue
      const isOfPeer = this.#peerHeld(entry.peer) >= this.#limits.materialBytesPerPeer
      const idle = [...this.#entries]
        .filter((other) => other !== entry && other.held > 0 && this.#now() - other.lastUsed >= unusedMs)
        .filter((other) => !isOfPeer || other.peer === entry.peer)
        .sort((a, b) => a.lastUsed - b.lastUsed)
      idle[0]?.evict()
    }
  }

  #hasRoom({ peer, held }: Entry): boolean {
    const { materialAheadBytes, materialBytesPerPeer, materialBytes } = this.#limits
    return (
      held < materialAheadBytes && this.#peerHeld(peer) < materialBytesPerPeer && this.#held < materialBytes
    )
  }

  #peerHeld(peer: string): number {
    return this.#peers.get(peer) ?? 0
  }

  #move(entry: Entry, bytes: number): void {
    entry.held += bytes
    this.#held += bytes
    const left = this.#peerHeld(entry.peer) + bytes
    if (left > 0) this.#peers.set(entry.peer, left)
    else this.#peers.delete(entry.peer)
  }
}
