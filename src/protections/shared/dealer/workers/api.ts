/** What the dealer's main thread asks of a thread that deals. Everything is copied or transferred. */
import type { ProxyMarked } from 'comlink'
import { SessionError, type SessionErrorCode, toSessionError } from '../../../../handshake/errors.ts'
import type { Products } from '../../../../kernels/node/choice.ts'
import type { HeldBundle } from '../../custody/split-bundle.ts'

/** What a thread is started with. */
export interface WorkerSetup {
  /** How products of many rows are made, as found out once for the process. */
  readonly products: Products
  readonly splitBundles: ReadonlyMap<string, HeldBundle>
}

/**
 * Takes a slab of a pass's material, and gives its memory back once it has been sent. Rejects where the pass is over for
 * the main thread.
 */
export type SlabSink = (pass: number, slab: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>
/** The next tensor of a registration; none after the last. */
export type NextTensor = () => Promise<{ readonly tensor?: Uint8Array }>

/** Engines and sessions go by numbers that the main thread draws. */
export interface WorkerApi {
  /** An engine for the models of one server. */
  begin(engine: number, serverKey: string): void
  /** Resolves with the plan's hash. */
  register(
    engine: number,
    modelHash: string,
    header: Uint8Array,
    next: NextTensor & ProxyMarked,
  ): Promise<Outcome<string>>
  open(
    engine: number,
    session: number,
    modelHash: string,
    seed: Uint8Array,
    sink: SlabSink & ProxyMarked,
  ): Promise<Outcome<void>>
  /** Deals a pass of so many bytes and rows into the session's sink, and resolves when all of it has been sent. */
  deal(
    session: number,
    pass: number,
    request: Uint8Array,
    bytes: number,
    rows: number,
  ): Promise<Outcome<void>>
  close(session: number): void
  end(engine: number): void
}

/** Our own errors keep their code across threads; of others the name and the place are kept, for the log. */
export interface Outcome<T> {
  readonly result?: T
  readonly refused?: { readonly code: SessionErrorCode; readonly message: string }
  readonly error?: Error
}

/** Of work that may fail: never rejects. */
export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: await work() }
  } catch (error) {
    if (error instanceof SessionError) return { refused: { code: error.code, message: error.message } }
    return { error: error instanceof Error ? error : toSessionError(error) }
  }
}

/** Throws what the work has thrown. */
export function check({ refused, error }: Outcome<unknown>): void {
  if (error) throw error
  if (refused) throw new SessionError(refused.code, refused.message)
}
