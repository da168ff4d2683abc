/** What a data owner's session is given, and what it tells. */
import type { Kernels, ProductDevice } from '../../../kernels/kernels.ts'
import type { Link } from '../../../transport/link.ts'
import type { HeldWeights } from '../weights/held.ts'
import type { Audits } from './audit.ts'
import type { ModelPlans } from './model-plan.ts'

/** What a session computes with, and whom it talks to; seeds are 32 bytes. */
export interface OwnerSetup {
  readonly plans: ModelPlans
  readonly kernels: Kernels
  readonly device: ProductDevice
  readonly link: Link
  /** Shared with the dealer for this session only. */
  readonly seed: Uint8Array
  /** From the server: what F is expanded from. */
  readonly stationarySeed: Uint8Array
  /** Public matrices that the owner multiplies by in clear. */
  readonly clear: HeldWeights
  /**
   * The server is so near that dealt bytes cost more time than hops: every pass runs the plan of few bytes, not only prompts.
   */
  readonly isNear?: boolean
  /** Most of what is sent ahead of a pass in one message. */
  readonly aheadBytes?: number
  /** Asks the dealer for a pass. */
  readonly requestPass: (pass: number, body: Uint8Array) => Promise<void>
  /** How the dealer is audited; it is not where left out, or where weights are split. */
  readonly audits?: Audits
}

/** Running totals of a session, as the plan declares them: of passes, hops and rows without the rehearsed ones. */
export interface SessionTotals {
  passes: number
  hops: number
  rows: number
  /** Bytes that the dealer streams to the server. */
  dealerBytes: number
  /** Passes that were rehearsed, those of them that were shown and found right, and what was dealt for them. */
  rehearsed: number
  audited: number
  auditBytes: number
  /** The last payload that went to the server. */
  lastSent: Uint8Array
  /** The last request that went to the dealer. */
  lastRequest: Uint8Array
}

/** What goes with a pass. `next`: whether a pass follows, or (an encoder's) of how many rows. */
export interface PassOptions {
  /** Which rows are padding; an encoder's only. */
  readonly padding?: Uint8Array
  readonly next?: boolean | number
  readonly signal?: AbortSignal
}
