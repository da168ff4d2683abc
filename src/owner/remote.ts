/** The Comlink side of the contract in `api.ts`: how errors cross, and what the worker exposes. */
import { transferHandlers } from 'comlink'
import { type OwnerApi, OwnerError, type OwnerErrorData, type PageConfig } from './api.ts'
import type { OwnerHost } from './host.ts'

/** What a freshly started worker exposes. The page hands it the configuration once and then talks to the engine. */
export interface WorkerApi extends OwnerApi {
  start(config: PageConfig, host: OwnerHost): Promise<void>
}

interface Thrown {
  value: unknown
}
type Wire = { isOwnerError: true; data: OwnerErrorData } | { isOwnerError: false; rest: unknown }

let isInstalled = false

/**
 * Teaches Comlink to carry `OwnerError` with its code and advice; its own handler keeps only name, message and stack.
 * Both sides call this before the first message.
 */
export function installErrorTransfer(): void {
  if (isInstalled) return
  isInstalled = true
  const base = transferHandlers.get('throw')
  if (!base) throw new Error('comlink has no throw handler')
  transferHandlers.set('throw', {
    canHandle: (value: unknown): value is unknown => base.canHandle(value),
    serialize(thrown: unknown): [Wire, Transferable[]] {
      const { value } = thrown as Thrown
      if (value instanceof OwnerError) return [{ isOwnerError: true, data: value.toData() }, []]
      const [rest, transfers] = base.serialize(thrown)
      return [{ isOwnerError: false, rest }, transfers]
    },
    deserialize(wire: Wire): unknown {
      if (wire.isOwnerError) throw new OwnerError(wire.data.code, wire.data.message, wire.data.advice)
      return base.deserialize(wire.rest)
    },
  })
}
