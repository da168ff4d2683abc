/** What a step's views may touch, role by role. */
import type { OpKernels } from '../../kernels/kernels.ts'
import type { LaneArray } from '../../kernels/lanes.ts'
import type { CachedRows } from './cache.ts'
import type { Slot } from './dealt.ts'
import type { LaneBits, Lanes } from './ring.ts'
import type { Shape } from './shape.ts'
import type { Masked, Opened, Role, Share, Typed, UnderMask } from './values.ts'

/** What every view has: the rows of the pass, arithmetic, and what earlier passes have cached. */
export interface ViewContext {
  readonly shape: Shape
  /** Arithmetic. Keystreams and resident matrices are not in it: a mask is read by its value, a product by its step. */
  readonly kernels: OpKernels
  /** What a cached tensor has kept of the positions that the rows see, oldest first; their own once remembered. */
  cache(name: string): CachedRows
  /** Appends this pass's rows to a cached tensor. */
  remember(name: string, rows: CachedRows): void
}

/** A view that computes a step's value from those of others. */
export interface ValueContext extends ViewContext {
  /** A value's lanes: a share, a public D, a masked value, or (oracle) the plain value. */
  get<W extends LaneBits>(value: Typed<W>): Lanes<W>
  /** The owner's input, rows x width, mod its ring. Throws `RangeError` at the server, which has none. */
  input(): Lanes
  /** 1 for every row of the pass that is padding, other row chunks' included. Throws like `input`. */
  padding(): Uint8Array
  /**
   * This party's bias row, or its part of one, at the scale of what it is added to (oracle: the whole row), mod 2^64.
   */
  bias(name: string): Lanes
}

/** What a party's view has: its share of everything, and no more. */
export interface PartyContext extends ValueContext {
  readonly role: Role
  /** So many lanes of whatever was there, for a result that fills them. */
  lanes(n: number): Lanes
  /** This party's additive part of a mask, mod 2^maskRing (opened) or 2^ring (masked; the owner's is all of it). */
  mask(value: UnderMask): Lanes
  /** What `mask` widens: the keystream's words as they come, packed values of `maskBits` bits, not reduced. */
  maskWords(value: UnderMask): Uint8Array
  /** This party's half of an opening, packed, as its message has it. */
  half(step: number): Uint8Array
  /** This party's share of a dealt slot, mod 2^bits. */
  correlation(step: number, slot: Slot): Lanes
  /** What `correlation` widens: packed values of `sharedBits` bits, which may be more than the slot's. */
  packed(step: number, slot: Slot): Uint8Array
  /** `correlation` of a slot of 8 bits, as bytes. */
  bytes(step: number, slot: Slot): Uint8Array
  /** This party's share of row `index[i]` of the dealt table of element `first` + i: `words` words each. */
  lookup(step: number, slot: Slot, index: Uint32Array, first?: number): Lanes
  /** The owner's own randomness, unknown to the dealer: its share of the input. */
  ownerSecret(step: number, width: number, ring: number): Lanes
  /** The product with a weight that the step declares for this party: rows x n, mod its ring. */
  multiply(step: number, weight: string): Lanes
  /** The owner's input-independent product with a private weight's stationary mask, made ahead: a·F + c, rows x n, in lanes of any width. */
  stationary(weight: string): LaneArray
}

/** What the dealer's view has: masks and pieces of weights, and never a value. */
export interface DealContext extends ViewContext {
  /** The whole mask, both parties' parts added, mod 2^maskRing. */
  mask(value: Opened<LaneBits>): Lanes
  /** The owner's part of a mask alone; all of a masked value's. */
  ownerMask(value: UnderMask): Lanes
  /** The server's part of a mask alone; of a masked value, which has none, a keystream of its own. */
  serverMask(value: UnderMask): Lanes
  /** The product with b = W - F, or with a piece of a split weight, that the step declares for the dealer: rows x n. */
  multiply(step: number, weight: string): Lanes
}

/** What the oracle has: plain integers. */
export interface OracleContext extends ValueContext {
  /** The owner's share of a value that a truncation rounds: with it the result is a function of the value. */
  ownerShare(value: Share): Lanes
  /** The whole mask: what a dealt table's intervals depend on. */
  mask(value: Opened<LaneBits>): Lanes
  /** Of a masked value, the keystream that server and dealer have of it. */
  serverMask(value: Masked): Lanes
  /** a [rows x k] times a whole weight [k x n], mod 2^ring. */
  multiply(weight: string, a: Lanes, ring: number): Lanes
  /** Reports a value outside what the calibration promised. */
  violation(step: number, what: string): void
}
