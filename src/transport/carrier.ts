/** What a reliable link needs of a socket: frames out, frames in, and the news of its end. */
export interface Carrier {
  send(frame: Uint8Array): void
  /** Bytes accepted by `send` that the socket still holds. */
  readonly buffered: number
  /** Resolves when the socket holds no more than `low` bytes, or has ended. */
  drained(low: number): Promise<void>
  /** Delivers frames from now on, those that already arrived first. Called once. */
  listen(handlers: CarrierHandlers): void
  /** Where the socket can: takes nothing more from the peer until `resume`. */
  pause?(): void
  resume?(): void
  close(): void
}

/** What a carrier tells its link; each frame is one that the other end sent, whole. */
export interface CarrierHandlers {
  frame(bytes: Uint8Array): void
  /** Called once, also after `close`. */
  end(reason: string): void
}

/** Opens a new socket to the same peer. */
export type Dial = () => Promise<Carrier>

/** Common part of carriers: keeps what arrives before somebody listens. */
export abstract class BaseCarrier implements Carrier {
  #handlers: CarrierHandlers | undefined
  readonly #early: Uint8Array[] = []
  #ended: string | undefined

  abstract send(frame: Uint8Array): void
  abstract get buffered(): number
  abstract close(): void

  /** Browsers have no event for it, so it is polled. What an ended socket still holds, it never sends. */
  async drained(low: number): Promise<void> {
    while (this.#ended === undefined && this.buffered > low)
      await new Promise((resolve) => setTimeout(resolve, 2))
  }

  /** Frames that came too early are delivered at once, and so is an end that came before. */
  listen(handlers: CarrierHandlers): void {
    this.#handlers = handlers
    for (const frame of this.#early.splice(0)) handlers.frame(frame)
    if (this.#ended !== undefined) handlers.end(this.#ended)
  }

  protected deliver(frame: Uint8Array): void {
    if (this.#ended !== undefined) return
    if (this.#handlers) this.#handlers.frame(frame)
    else this.#early.push(frame)
  }

  protected end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#handlers?.end(reason)
  }
}
