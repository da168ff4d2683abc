/** What a model's developer does with the `fixed` profile. */
import type { ModelConfig, Tensors } from '../../../../model/architectures/config.ts'
import type { Tap } from '../../../../model/graph/taps.ts'
import { CalibrationError } from '../errors.ts'
import type { Measurement, Sequence, Workshop } from '../workshop.ts'
import { calibrate } from './calibrate.ts'
import { check } from './check.ts'
import { modelOf, refuseOctaves } from './from-manifest.ts'
import { foldedAway } from './matrices.ts'
import { mergeRanges } from './merge.ts'
import { rangeReport } from './range-report.ts'
import type { Ranges } from './ranges.ts'

/** Ranges over texts, some at a time. */
class RangeMeasurement implements Measurement {
  readonly #config: ModelConfig
  readonly #tensors: Tensors
  #ranges?: Ranges

  constructor(config: ModelConfig, tensors: Tensors) {
    refuseOctaves(config)
    this.#config = config
    this.#tensors = tensors
  }

  add(sequences: Iterable<Sequence>, tap?: Tap): void {
    const ranges = calibrate(this.#config, this.#tensors, sequences, tap)
    this.#ranges = this.#ranges ? mergeRanges(this.#ranges, ranges) : ranges
  }

  get entry(): { readonly ranges: Ranges } {
    if (!this.#ranges) throw new CalibrationError('Nothing was measured: there was no text.')
    return { ranges: this.#ranges }
  }
}

/** Ranges of activations, as the float reference meets them on text. */
export const workshop: Workshop = {
  foldedAway,
  measure: (config, tensors) => new RangeMeasurement(config, tensors),
  check,
  report: (manifest) => rangeReport(modelOf(manifest).spec),
}
