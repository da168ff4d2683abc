/** Damage on purpose, one fault at a chosen frame, for generated fault matrices. */
import type { Carrier, CarrierHandlers, Dial } from '../../../src/transport/carrier.ts'

/** Everything that can happen to a frame on its way. */
export const faultKinds = ['drop', 'duplicate', 'reorder', 'truncate', 'flip', 'kill'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  kind: FaultKind
  /** Which frame of that direction, counted over all connections of the link, from 0. */
  at: number
  direction: 'send' | 'receive'
}

/** Every fault at every one of the first `frames` frames, in both directions. */
export function faultMatrix(frames: number): Fault[] {
  const all: Fault[] = []
  for (const direction of ['send', 'receive'] as const) {
    for (const kind of faultKinds) for (let at = 0; at < frames; at++) all.push({ kind, at, direction })
  }
  return all
}

/** Counts frames across reconnects, and remembers whether the fault has struck. */
export class FaultInjector {
  readonly fault: Fault
  struck = false
  #count = 0
  #held: Uint8Array | undefined

  constructor(fault: Fault) {
    this.fault = fault
  }

  /** The frames that go on in place of `frame`; `kill` is called where the fault is a broken connection. */
  apply(direction: Fault['direction'], frame: Uint8Array, kill: () => void): Uint8Array[] {
    if (direction !== this.fault.direction) return [frame]
    if (this.#held) {
      const late = this.#held
      this.#held = undefined
      return [frame, late]
    }
    if (this.#count++ !== this.fault.at) return [frame]
    this.struck = true
    return this.#damage(frame, kill)
  }

  #damage(frame: Uint8Array, kill: () => void): Uint8Array[] {
    switch (this.fault.kind) {
      case 'drop':
        return []
      case 'duplicate':
        return [frame, frame]
      case 'reorder':
        this.#held = frame
        return []
      case 'truncate':
        return [frame.slice(0, frame.length - 1 - (this.fault.at % Math.min(8, frame.length - 1)))]
      case 'flip': {
        const copy = frame.slice()
        copy[(this.fault.at * 7919) % copy.length] ^= 1 << (this.fault.at % 8)
        return [copy]
      }
      case 'kill':
        kill()
        return []
    }
  }
}

/** Wraps a socket. */
export function faultyCarrier(inner: Carrier, injector: FaultInjector): Carrier {
  const kill = () => inner.close()
  return {
    get buffered() {
      return inner.buffered
    },
    send: (frame) => {
      for (const out of injector.apply('send', frame, kill)) inner.send(out)
    },
    listen: (handlers: CarrierHandlers) =>
      inner.listen({
        frame: (frame) => {
          for (const into of injector.apply('receive', frame, kill)) handlers.frame(into)
        },
        end: handlers.end,
      }),
    drained: (low) => inner.drained(low),
    close: () => inner.close(),
  }
}

export const faultyDial =
  (dial: Dial, injector: FaultInjector): Dial =>
  async () =>
    faultyCarrier(await dial(), injector)

/** Wraps `fetch`: a request or response body counts as one frame; a dropped one is a network error. */
export function faultyFetch(inner: typeof fetch, injector: FaultInjector): typeof fetch {
  return async (input, init) => {
    const fail = (): never => {
      throw new TypeError('The connection was dropped on purpose.')
    }
    const [first, ...again] = injector.apply('send', init?.body as Uint8Array, fail)
    if (!first) fail()
    let response = await inner(input, { ...init, body: first as Uint8Array<ArrayBuffer> })
    for (const body of again)
      response = await inner(input, { ...init, body: body as Uint8Array<ArrayBuffer> })
    const [back] = injector.apply('receive', new Uint8Array(await response.arrayBuffer()), fail)
    if (!back) fail()
    // A response without content must not be given any, not even an empty one.
    return new Response(response.status === 204 ? null : (back as Uint8Array<ArrayBuffer>), {
      status: response.status,
    })
  }
}
