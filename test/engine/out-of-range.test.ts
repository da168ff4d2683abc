/**
 * Values that leave the ranges that a model was calibrated for: whatever the text, what is released is what the model would
 * have said, or the owner is told that it is not, and where. Ranges are cut to a part of what values span, one after another.
 */
import { describe, expect, it } from 'vitest'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { LocalParties } from '../../src/protections/shared/local/local-parties.ts'
import { RangeTooWide } from '../../src/protections/shared/profiles/fixed/errors.ts'
import { FixedModel } from '../../src/protections/shared/profiles/fixed/fixed-model.ts'
import type { LayerRanges, Ranges } from '../../src/protections/shared/profiles/fixed/ranges.ts'
import { checkReleased, refuseOutOfRange } from '../../src/protections/shared/released.ts'
import { localKeys } from '../support/protocol/local-keys.ts'
import {
  type TinyEncoder,
  type TinyModel,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../support/protocol/models.ts'

const kernels = createWasmKernels()

/** How many times what a range holds values reach, head room included: 1.5 in all is what they may. */
const FACTORS = [3, 12, 100]
/** Errors of released numbers that fixed point accounts for. */
const TOLERANCE = 0.05

type Cut = (r: LayerRanges, by: number) => Partial<LayerRanges>

const cuts: Record<string, Cut> = {
  x: (r, by) => ({ x: r.x / by }),
  v: (r, by) => ({ v: r.v / by }),
  raw: (r, by) => ({ raw: r.raw / by }),
  gate: (r, by) => ({ gate: r.gate / by }),
  up: (r, by) => ({ up: r.up / by }),
  'mean square too large': (r, by) => ({
    meanSquare2: [r.meanSquare2[0] / by ** 2, r.meanSquare2[1] / by ** 2],
  }),
  'mean square too small': (r, by) => ({
    meanSquare2: [r.meanSquare2[0] * by ** 2, r.meanSquare2[1] * by ** 2],
  }),
  score: (r, by) => ({ score: [r.score[0] / by - 40, r.score[0] / by - 30] }),
  rawResidual: (r, by) => (r.rawResidual === undefined ? {} : { rawResidual: r.rawResidual / by }),
}

const cutRanges = (ranges: Ranges, layer: number, cut: Cut, by: number): Ranges => ({
  ...ranges,
  final: cut === cuts.x ? { ...ranges.final, x: ranges.final.x / by } : ranges.final,
  layers: ranges.layers.map((r, l) => (l === layer || cut === cuts.x ? { ...r, ...cut(r, by) } : r)),
})

/** What a text gives, and where it is said to be out of range. */
async function passOf(
  model: FixedModel,
  tiny: TinyModel | TinyEncoder,
  input: { rows: Float64Array; padding?: Uint8Array },
) {
  const parties = new LocalParties(model, tiny.tensors, { keys: localKeys(), kernels })
  const { released, plan, owner } = await parties.pass(0, input.rows, input.padding)
  try {
    refuseOutOfRange(plan.alarms, [owner])
    checkReleased(model.released, released)
    return { released }
  } catch (error) {
    return { released, refused: (error as Error).message }
  }
}

const ids = [5, 9, 33, 2, 17]
const decoder = (config: typeof tinyLlama) => {
  const tiny = tinyModel(config)
  return { tiny, input: { rows: tiny.ends.embed(ids, 0) } }
}
const classifier = () => {
  const tiny = tinyEncoder(tinyBert)
  return { tiny, input: tiny.ends.input({ ids, types: ids.map(() => 0) }) }
}

describe.each([
  ['llama', decoder(tinyLlama)],
  ['gpt2', decoder(tinyGpt2)],
  ['a classifier behind a pooler', classifier()],
])('%s', (_name, { tiny, input }) => {
  it('gives what it gives in range, or an error that names the layer', async ({ annotate }) => {
    const { spec } = tiny
    const exact = await passOf(tiny.model, tiny, input)
    expect(exact.refused).toBeUndefined()
    const found = { right: 0, refused: 0, compiled: 0 }
    const silent: string[] = []
    for (const [name, cut] of Object.entries(cuts))
      for (const layer of [0, 1])
        for (const by of FACTORS) {
          const model = new FixedModel({ ...spec, ranges: cutRanges(spec.ranges, layer, cut, by) })
          let got: Awaited<ReturnType<typeof passOf>>
          try {
            got = await passOf(model, tiny, input)
          } catch (error) {
            if (!(error instanceof RangeTooWide)) throw error
            continue
          }
          found.compiled++
          const isRight = got.released.every((v, i) => Math.abs(v - exact.released[i]) < TOLERANCE)
          if (got.refused) found.refused++
          else if (isRight) found.right++
          else silent.push(`${name} of layer ${layer}, ${by} times`)
        }
    await annotate(JSON.stringify(found))
    expect(silent).toEqual([])
  })
})
