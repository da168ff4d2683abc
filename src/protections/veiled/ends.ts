/** The secret maps at a model's two ends, which data owners hold: each from a seed of its own. */
import { permuted, rotated, rotatedWithMean, signed } from './basis.ts'
import type { LinearMap } from './linear-map.ts'
import { SecretStream } from './secret-stream.ts'

/** How rich the secret changes are; see docs/veiled.md. */
export type Group = 'bits' | 'full'

/** What stands between the blocks of a model, and so which bases its stream may have. */
export type StreamNorm =
  /** Each block reads an RMSNorm of the stream. */
  | 'rms'
  /** Each block reads a LayerNorm of the stream. */
  | 'layer'
  /** What a norm makes of the stream is carried on as the stream. */
  | 'carried'

/** One end: which things or components there are, and what leaves it as it has to be. */
export type End =
  /** Things that are counted: tokens, labels, patches. Those `fixed` keep their number. */
  | { readonly kind: 'items'; readonly size: number; readonly fixed?: readonly number[] }
  /** The numbers of one patch of a picture. */
  | { readonly kind: 'pixels'; readonly size: number }
  /** The residual stream: embedded rows, or the hidden states that an encoder without a head ends with. */
  | { readonly kind: 'stream'; readonly size: number; readonly norm: StreamNorm }

/** The map that a seed gives for an end: x, in the model's own basis, to what the cloud works with. */
export function endMap(end: End, group: Group, seed: Uint8Array): LinearMap {
  const random = new SecretStream(seed, 'end')
  switch (end.kind) {
    case 'items':
      return permuted(random, end.size, end.fixed)
    case 'pixels':
      return group === 'full' ? rotated(random, end.size) : signed(random, end.size)
    case 'stream':
      if (end.norm === 'rms') return group === 'full' ? rotated(random, end.size) : signed(random, end.size)
      return group === 'full' && end.norm === 'layer'
        ? rotatedWithMean(random, end.size)
        : permuted(random, end.size)
  }
}
