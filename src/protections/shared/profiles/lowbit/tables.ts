/** The public functions that a model's plans tabulate: made once, for all layers and plans. */
import type { ModelConfig } from '../../../../model/architectures/config.ts'
import { activations } from '../../../../model/math.ts'
import { fullTable } from '../../tables/full-table.ts'
import { lineTable } from '../../tables/line-table.ts'
import { Rotations } from '../../tables/rotations.ts'
import type { Form } from './form.ts'
import type { Quantization } from './quantization.ts'
import { LINE_BITS, LINE_FRACTION, NORM_BITS, type Widths } from './widths.ts'

export interface Tables {
  /** 1 / n of a row's sum of attention weights. */
  readonly quotient: Rotations
  /** 1 / rms of the bits of a row's sum of squares, one entry for each value. */
  readonly root: Rotations
  /** 1 / rms of intervals of sums of squares, at their middles. */
  readonly norm: Rotations
  /** The activation by lines; none where it is linear, or ReLU. */
  readonly activation?: Rotations
}

export function tablesOf(config: ModelConfig, q: Quantization, form: Form, w: Widths): Tables {
  const { most, scale } = w.quotient
  const unit = 2 ** w.variance.drop
  const units = 2 ** q.x
  // A row whose mean square is below 1 is taken as one of 1: what 1/rms would be then is too large to be opened.
  const least = Math.ceil((config.dim * units * units) / unit)
  const root = (n: number): number =>
    Math.round(2 ** w.root.frac * units * Math.sqrt(config.dim / (Math.max(n, least) * unit)))
  const shift = w.variance.ring - NORM_BITS
  const interval = 2 ** shift
  const f = activations[form.activation]
  return {
    quotient: fullTable(w.denominator.ring, (n) => Math.min(most, Math.round(scale / Math.max(n, 1)))),
    root: fullTable(w.variance.ring, root),
    norm: new Rotations({ shift, entries: 2 ** NORM_BITS, words: 1 }, (place, out) => {
      for (let k = 0; k < out.length; k++) out[k] = root(place + k * interval + interval / 2)
    }),
    activation: isTabulated(form)
      ? lineTable((g) => f(g * 2 ** -q.g) * 2 ** q.g, {
          ring: w.up.ring,
          entryBits: LINE_BITS,
          scale: 2 ** LINE_FRACTION,
        })
      : undefined,
  }
}

/** Whether the activation takes a table of lines: a linear gate takes none, and ReLU one of signs. */
export const isTabulated = ({ activation }: Form): boolean => activation !== 'linear' && activation !== 'relu'
