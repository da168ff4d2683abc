/** What a step's views may touch, role by role. */
import type { Contraction, ContractionTerm } from '../../kernels/contraction.ts'
import type { Kernels, PolynomialSpec } from '../../kernels/kernels.ts'
import type { Operand, Program, Result } from '../../kernels/program.ts'
import type { Blinded, DealtProduct, Opened, Role, Share, Slot, Value } from './plan.ts'
import type { Lanes } from './ring.ts'
import type { Shape } from './shape.ts'

/** The rows of a pass and the values computed so far. */
export interface PassContext {
  readonly shape: Shape
  /** A value's lanes: a share, a public D, a blinded value, or (oracle) the plain value. */
  get(value: Value): Lanes
  /** What a cached tensor has kept of the positions that the rows see, oldest first; their own once remembered. */
  cache(name: string): CachedRows
  /** Appends this pass's rows to a cached tensor. */
  remember(name: string, rows: CachedRows): void
  /** Dealt polynomials at public points; see `Kernels.polynomials`. */
  polynomials(points: Lanes, words: Lanes, o: PolynomialSpec): Lanes
}

/** Rows of a cached tensor, positions x width. */
export interface CachedRows {
  /** Opened values (oracle: plain values; dealer: empty). */
  readonly values: Lanes
  /** The holder's part of the masks (dealer: the whole masks; oracle: empty). */
  readonly masks: Lanes
}

export interface PartyContext extends PassContext {
  readonly role: Role
  /** This party's additive part of a mask, mod 2^maskRing (opened) or 2^ring (blinded; owner only). */
  mask(value: Opened | Blinded): Lanes
  /** The same as its keystream's words: packed values of `maskBits` bits, not reduced. */
  maskWords(value: Opened | Blinded): Uint8Array
  /** This party's half of an opening, packed, as its message has it. */
  half(step: number): Uint8Array
  /** This party's share of a dealt slot. */
  correlation(step: number, slot: Slot): Lanes
  /** The same packed, in `sharedBits` bits a value, which may be more than the slot's. */
  packed(step: number, slot: Slot): Uint8Array
  /** Attention's products in the clear; see `Kernels.contract`. */
  contract(kind: 'scores' | 'mix', terms: readonly ContractionTerm[], o: Contraction): Lanes
  /** Elementwise arithmetic; see `Kernels.evaluate`. */
  evaluate<R extends readonly Result[]>(p: Program<R>, operands: readonly Operand[], count: number): R
  /** The same for a slot of 8 bits, as bytes. */
  bytes(step: number, slot: Slot): Uint8Array
  /** This party's share of row `index[i]` of the dealt table of element `first` + i: `words` words each. */
  lookup(step: number, slot: Slot, index: Uint32Array, first?: number): Lanes
  /** The owner's own randomness, unknown to the dealer: its share of the input. */
  ownerSecret(step: number, width: number, ring: number): Lanes
  /** The input in fixed point (owner only). */
  input(): Lanes
  /** 1 for every row of the pass that is padding, other bands' rows included (owner only). */
  padding(): Uint8Array
  /** a [rows x k] times a weight in the clear of this party, mod 2^ring. */
  multiply(weight: string, a: Lanes, ring: number): Lanes
  /** The owner's input-independent product for a private weight, made ahead: a·F + c. */
  stationary(weight: string): Lanes
  /** This party's bias row, or its part of one, in fixed point at the plan's scale. */
  bias(name: string): Lanes
}

export interface DealContext {
  readonly shape: Shape
  /** The whole mask, both parties' parts added, mod 2^maskRing. */
  mask(value: Opened): Lanes
  /** The owner's mask alone. */
  ownerMask(value: Opened | Blinded): Lanes
  /** The server's part of a mask alone. */
  serverMask(value: Opened): Lanes
  cache(name: string): CachedRows
  remember(name: string, rows: CachedRows): void
  /** Elementwise arithmetic; see `Kernels.evaluate`. */
  evaluate<R extends readonly Result[]>(p: Program<R>, operands: readonly Operand[], count: number): R
  /** Attention's products in the clear; see `Kernels.contract`. */
  contract(kind: 'scores' | 'mix', terms: readonly ContractionTerm[], o: Contraction): Lanes
  /** Samples to coefficients; see `Kernels.transformed`. */
  transformed: Kernels['transformed']
  /** The product that a step declares, unless it was made ahead. */
  multiplyDifference(product: DealtProduct): Lanes
}

export interface PlainContext extends PassContext {
  /** The owner's share of a value that a truncation rounds: with it the result is a function of the value. */
  ownerShare(value: Share): Lanes
  /** The whole mask: what a dealt table's intervals depend on. */
  mask(value: Opened): Lanes
  input(): Lanes
  padding(): Uint8Array
  multiply(weight: string, a: Lanes, ring: number): Lanes
  bias(name: string): Lanes
  /** Reports a value outside what the calibration promised. */
  violation(step: number, what: string): void
}
