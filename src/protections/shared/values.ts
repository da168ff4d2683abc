/**
 * What the steps of a plan compute, and what is known of it before any step has run: who holds a value and how, its
 * layout, its ring and scale, and how wide its lanes are in memory.
 */
import type { LaneBits } from './ring.ts'
import type { Scale } from './scale.ts'
import type { Layout } from './shape.ts'

/** The two parties that are online. The dealer is none: it never sees a message of theirs. */
export type Role = 'owner' | 'server'

/** What all values have: `width` ring elements for each row, or pair of a row and a position, that `layout` names. */
export interface Typed<W extends LaneBits = LaneBits> {
  /** The step whose outcome it is. */
  readonly step: number
  readonly layout: Layout
  readonly width: number
  /** The ring is Z_2^ring, ring <= lanes. */
  readonly ring: number
  readonly scale: Scale
  /** Bits of a lane in memory. */
  readonly lanes: W
}

/** Additively shared between owner and server: x = x_O + x_M mod 2^ring. */
export interface Share<W extends LaneBits = 64> extends Typed<W> {
  readonly kind: 'share'
}

/** Public to owner and server under a mask that neither knows: D = x + offset - a mod 2^ring. */
export interface Opened<W extends LaneBits = 64> extends Typed<W> {
  readonly kind: 'opened'
  /**
   * Added before opening, so that a signed value becomes non-negative; 2^(ring-2) where the mask's wrap is undone
   * later, else 0.
   */
  readonly offset: bigint
  /** The widest ring that the value can be lifted to; 0 where it can't. */
  readonly lift: number
  /** Ring of the mask a (at least `ring`; `lift` where the value can be lifted). */
  readonly maskRing: number
  /** Keystream that the parties' parts of the mask come from. */
  readonly stream: number
  /** The mask's keystream has 64-bit words whatever its ring is, as the owner's product kernels expect. */
  readonly isWide: boolean
}

/** Known to the server alone, as x - a for the owner's own mask a: what a product by a stationary mask needs. */
export interface Masked<W extends LaneBits = 64> extends Typed<W> {
  readonly kind: 'masked'
  /** Keystream of the owner's mask that hides it. */
  readonly stream: number
}

/** Known to the owner in clear at the end of the pass. */
export interface Released<W extends LaneBits = 64> extends Typed<W> {
  readonly kind: 'released'
}

/** What a step makes; `kind` says who knows what of it. */
export type Value = Share<LaneBits> | Opened<LaneBits> | Masked<LaneBits> | Released<LaneBits>

/** A value under a mask of which the owner has a part, or all. */
export type UnderMask = Opened<LaneBits> | Masked<LaneBits>

/** Whether a mask hides a value from one of the parties, or from both. */
export const isUnderMask = (value: Value): value is UnderMask =>
  value.kind === 'opened' || value.kind === 'masked'

/** The ring of a value's mask. */
export const maskRingOf = (value: UnderMask): number =>
  value.kind === 'opened' ? value.maskRing : value.ring

/** A value before a plan gives it the step that computes it. */
export type Unplaced<V extends Value> = Omit<V, 'step'>

/** What the type of a share consists of besides its lanes. */
export type ShareType = Pick<Share, 'layout' | 'width' | 'ring' | 'scale'>

/** A share in lanes of 64 bits. */
export const share = ({ layout, width, ring, scale }: ShareType): Unplaced<Share> => ({
  kind: 'share',
  layout,
  width,
  ring,
  scale,
  lanes: 64,
})
