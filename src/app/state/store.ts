/** A value that components can watch: the smallest state container that serves this page. */
import type { ReactiveController, ReactiveControllerHost } from 'lit'

export class Store<T extends object> {
  #state: T
  readonly #listeners = new Set<() => void>()

  constructor(initial: T) {
    this.#state = initial
  }

  get state(): Readonly<T> {
    return this.#state
  }

  /** Replaces some fields and tells everyone who watches. */
  set(patch: Partial<T>): void {
    this.#state = { ...this.#state, ...patch }
    for (const listener of this.#listeners) listener()
  }

  /** Calls back after every change, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Renders its host again whenever one of the stores changes. */
export class Watch implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #stores: readonly Pick<Store<object>, 'subscribe'>[]
  #stops: (() => void)[] = []

  constructor(host: ReactiveControllerHost, ...stores: Pick<Store<object>, 'subscribe'>[]) {
    this.#host = host
    this.#stores = stores
    host.addController(this)
  }

  hostConnected(): void {
    this.#stops = this.#stores.map((store) => store.subscribe(() => this.#host.requestUpdate()))
  }

  hostDisconnected(): void {
    for (const stop of this.#stops) stop()
  }
}
