/** Whether a calibrated model can be computed in 64-bit rings, and if not, what stands in the way. */

import { headDim, type ModelConfig } from '../../src/model/architectures/config.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { encodeMatrix } from '../../src/protections/shared/profiles/fixed/encode.ts'
import { lowerMatrix } from '../../src/protections/shared/profiles/fixed/lower.ts'
import {
  allMatrices,
  type MatrixRole,
  matrixName,
  sources,
} from '../../src/protections/shared/profiles/fixed/matrices.ts'
import type { LayerRanges, Ranges } from '../../src/protections/shared/profiles/fixed/ranges.ts'
import { softmaxWidths } from '../../src/protections/shared/profiles/fixed/softmax-widths.ts'
import { FIXED, RangeTooWide, weightFrac } from '../../src/protections/shared/profiles/fixed/widths.ts'
import { modelPlans } from '../../src/protections/shared/session/model-plan.ts'

/** The model can't be computed with these ranges or weights; the message names the layer and the tensors. */
export class CalibrationError extends Error {
  override readonly name = 'CalibrationError'
  readonly layer?: number
  readonly tensors: readonly string[]

  constructor(message: string, place: { layer?: number; tensors?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: place.cause })
    this.layer = place.layer
    this.tensors = place.tensors ?? []
  }
}

const ADVICE =
  'Import it again without --no-balance, or with a smaller --context; calibrate on text like what it will see.'

/** Compiles the plan of the longest pass and encodes every weight that a party multiplies by. Throws `CalibrationError`. */
export function checkFits({ manifest, tensors }: Bundle, ranges: Ranges): void {
  const { config } = manifest
  refuseUnmeasured(config, ranges)
  // First by layer: a plan's own complaint about a softmax does not say whose.
  ranges.layers.forEach((r, layer) => {
    if (config.softmaxCap !== undefined) return
    const uses = { scalars: config.heads, columns: config.dim }
    const spanBits = Math.ceil(Math.log2(config.context + 1))
    within(config, layer, 'qkv', r, () => softmaxWidths(FIXED, r, spanBits, config.context, uses))
  })
  const plans = modelPlans(manifest)
  const compile = (): unknown => plans.of({ base: 0, rows: config.context })
  within(config, undefined, undefined, undefined, compile)
  for (const { layer, role } of allMatrices(config)) {
    const isMultiplied =
      plans.multiplies(layer, role, 'private') ||
      (layer < config.layers && plans.multiplies(layer, role, 'public'))
    if (!isMultiplied) continue
    const encode = (): unknown =>
      encodeMatrix(lowerMatrix(config, tensors, layer, role).matrix, weightFrac(role, FIXED))
    within(config, layer, role, undefined, encode)
  }
}

/** Not a number, or never measured: the weights are damaged, or the text was not read at all. */
function refuseUnmeasured(config: ModelConfig, ranges: Ranges): void {
  ranges.layers.forEach((r, layer) => {
    for (const [name, value] of Object.entries(r))
      if (![value].flat().every(Number.isFinite))
        throw new CalibrationError(
          `Layer ${layer}: "${name}" came out as ${value}. The weights hold infinities, or overflow in use.`,
          { layer, tensors: sources(config, layer, 'qkv') },
        )
  })
}

function within(
  config: ModelConfig,
  layer: number | undefined,
  role: MatrixRole | undefined,
  ranges: LayerRanges | undefined,
  run: () => unknown,
): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Error) || !/^(RangeTooWide|WeightError)$/.test(error.name)) throw error
    const at = layer ?? layerIn(error.message)
    const part = role ?? roleIn(error.message)
    const tensors = at === undefined || part === undefined ? [] : sources(config, at, part)
    const where = at === undefined || /^layer/i.test(error.message) ? '' : `Layer ${at}: `
    const measured = ranges ? ` ${spoken(config, ranges)}` : ''
    const weights = tensors.length > 0 ? ` It comes from ${tensors.join(', ')}.` : ''
    const what = error instanceof RangeTooWide || role === undefined ? '' : ` (${matrixName(at ?? 0, role)})`
    throw new CalibrationError(`${where}${error.message}${what}.${measured}${weights} ${ADVICE}`, {
      layer: at,
      tensors,
      cause: error,
    })
  }
}

const spoken = (config: ModelConfig, { score, v }: LayerRanges): string => {
  const logits = score.map((octaves) => (octaves / Math.LOG2E).toFixed(1)).join(' to ')
  return `Attention logits run from ${logits} over heads of ${headDim(config)}, values reach ${v.toPrecision(3)}.`
}

const layerIn = (message: string): number | undefined => {
  const found = /layer (\d+)/i.exec(message)
  return found ? Number(found[1]) : undefined
}

/** The matrix whose product a complaint is about. */
function roleIn(message: string): MatrixRole | undefined {
  if (/quer|first norm|attention weights|logits/.test(message)) return 'qkv'
  if (/attention output/.test(message)) return 'out'
  return /feed-forward|second norm|activation/.test(message) ? 'up' : undefined
}
