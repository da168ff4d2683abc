/** Whether a calibrated model can be computed in 64-bit rings, and if not, what stands in the way. */
import { headDim, type ModelConfig, type Tensors } from '../../../../model/architectures/config.ts'
import { CalibrationError } from '../errors.ts'
import type { ModelManifest } from '../model-manifest.ts'
import { RangeTooWide, WeightError } from './errors.ts'
import { modelOf, rangesOf } from './from-manifest.ts'
import { allMatrices, isEnd, type MatrixRole, sources } from './matrices.ts'
import { multiplies } from './model.ts'
import type { LayerRanges, Ranges } from './ranges.ts'
import { encodeWeight } from './weights.ts'

const ADVICE =
  'Import it again without --no-balance, or with a smaller --context; calibrate on text like what it will see.'

/** Compiles the plan of the longest pass and encodes every weight that a party loads. Throws `CalibrationError`. */
export function check(manifest: ModelManifest, tensors: Tensors): void {
  const { config } = manifest
  const ranges = rangesOf(manifest)
  refuseUnmeasured(config, ranges)
  const model = modelOf(manifest)
  explained(config, ranges, {}, () => model.variant({ base: 0, rows: config.context }).compile())
  for (const { layer, role } of allMatrices(config))
    if (multiplies(model.spec, layer, role, 'private') || multiplies(model.spec, layer, role, 'public'))
      explained(config, ranges, { layer, role }, () => encodeWeight(model.spec, tensors, layer, role))
}

/** Not a number, or never measured: the weights are damaged, or the text was not read at all. */
function refuseUnmeasured(config: ModelConfig, ranges: Ranges): void {
  ranges.layers.forEach((r, layer) => {
    for (const [name, value] of Object.entries(r))
      if (!isMeasured(value))
        throw new CalibrationError(
          `Layer ${layer}: "${name}" came out as ${JSON.stringify(value)}. The weights hold infinities, or overflow in use.`,
          { layer, tensors: sources(config, layer, 'qkv') },
        )
  })
}

const isMeasured = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).every(isMeasured)
    : value === undefined || Number.isFinite(value)

/** Runs what may be refused, and says then which tensors it comes from, and what to do. */
function explained(
  config: ModelConfig,
  ranges: Ranges,
  weight: { layer?: number; role?: MatrixRole },
  run: () => unknown,
): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof RangeTooWide || error instanceof WeightError)) throw error
    const { layer, role } = error instanceof RangeTooWide ? error : weight
    const measured = layer !== undefined && role === 'qkv' ? ` ${spoken(config, ranges.layers[layer])}` : ''
    const tensors = sourcesOf(config, layer, role)
    const source = tensors.length > 0 ? ` It comes from ${tensors.join(', ')}.` : ''
    const where = error instanceof WeightError && layer !== undefined ? `Layer ${layer}: ` : ''
    throw new CalibrationError(`${where}${error.message}.${measured}${source} ${ADVICE}`, {
      layer,
      tensors,
      cause: error,
    })
  }
}

/** The tensors of a matrix; the ends of a model count as a last layer. */
function sourcesOf(config: ModelConfig, layer?: number, role?: MatrixRole): string[] {
  if (role === undefined) return []
  if (layer !== undefined) return sources(config, layer, role)
  return isEnd(role) ? sources(config, config.layers, role) : []
}

const spoken = (config: ModelConfig, { score, v }: LayerRanges): string => {
  const logits = score.map((octaves) => (octaves / Math.LOG2E).toFixed(1)).join(' to ')
  return `Attention logits run from ${logits} over heads of ${headDim(config)}, values reach ${v.toPrecision(3)}.`
}
