/** What a model's developer does with the `lowbit` profile. */
import { WeightTable } from '../../../../model/graph/weights.ts'
import { CalibrationError, ProfileError } from '../errors.ts'
import type { Workshop } from '../workshop.ts'
import { WeightError } from './errors.ts'
import { modelOf } from './lowbit-model.ts'
import { allMatrices, denseOf, type MatrixPlace } from './matrices.ts'
import { QuantizationMeasurement } from './measure.ts'
import { encodeWeight } from './weights.ts'

/** Fractions and rings of a model that is quantized: training makes them as well, of the same integers. */
export const workshop: Workshop = {
  foldedAway(config, isPublic) {
    const places = allMatrices(config).flatMap((place) => denseOf(config, place))
    const used = new Set(places.flatMap(({ weight, bias }) => [weight, ...(bias ? [bias] : [])]))
    return (tensor) => isPublic(tensor) && used.has(tensor)
  },
  measure: (config, tensors) => new QuantizationMeasurement(config, tensors),
  check(manifest, tensors) {
    const { config } = manifest
    const model = explained(undefined, () => modelOf(manifest))
    explained(undefined, () => model.variant({ base: 0, rows: config.context }).compile())
    const table = new WeightTable(config, tensors)
    for (const place of allMatrices(config))
      explained(place, () => encodeWeight(config, model.spec.quantization, table, place))
  },
  /** Rings are chosen for all layers at once: there is nothing to say of one. */
  report: () => [],
}

/** Runs what may be refused, and says then of which layer it is. */
function explained<T>(place: MatrixPlace | undefined, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ProfileError || error instanceof WeightError || error instanceof RangeError))
      throw error
    const layer = place?.layer
    throw new CalibrationError(layer === undefined ? error.message : `Layer ${layer}: ${error.message}.`, {
      layer,
      cause: error,
    })
  }
}
