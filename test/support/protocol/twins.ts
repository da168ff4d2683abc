import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import type { Visibility } from '../../../src/model/files/manifest.ts'
import { randomModel } from '../../../src/model/random.ts'
import { matrixVisibility } from '../../../src/protections/shared/profiles/fixed/block.ts'
import { calibrate } from '../../../src/protections/shared/profiles/fixed/calibrate.ts'
import { FixedModel } from '../../../src/protections/shared/profiles/fixed/fixed-model.ts'
import { allMatrices, sources } from '../../../src/protections/shared/profiles/fixed/matrices.ts'
import type { Ranges } from '../../../src/protections/shared/profiles/fixed/ranges.ts'
import { type Privacy, type TinyModel, tinyModel } from './models.ts'

/** The smallest ranges that hold both. */
function union(a: unknown, b: unknown): unknown {
  if (typeof a === 'number') return Math.max(a, b as number)
  if (Array.isArray(a) && typeof a[0] === 'number')
    return [Math.min(a[0], (b as number[])[0]), Math.max(a[1], (b as number[])[1])]
  if (Array.isArray(a)) return a.map((v, i) => union(v, (b as unknown[])[i]))
  return Object.fromEntries(
    Object.entries(a as object).map(([k, v]) => [k, union(v, (b as Record<string, unknown>)[k])]),
  )
}

/** Tensors that private matrices alone are made from. */
function privateTensors({ config, spec }: TinyModel): Set<string> {
  const of = (visibility: Visibility): string[] =>
    allMatrices(config)
      .filter(({ layer, role }) => matrixVisibility(spec, layer, role) === visibility)
      .flatMap(({ layer, role }) => sources(config, layer, role))
  const known = new Set(of('public'))
  return new Set(of('private').filter((name) => !known.has(name)))
}

/** Two models that differ in their private weights alone: shapes, names, public tensors and ranges are the same. */
export function twins(config: ModelConfig, privacy: Privacy): [TinyModel, TinyModel] {
  const first = tinyModel(config, privacy)
  const tensors = new Map(first.tensors)
  const others = randomModel(config, 99)
  for (const name of privateTensors(first)) tensors.set(name, others.get(name)!)
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const other = calibrate(config, tensors, [all, all.toReversed()])
  const spec = { ...first.spec, ranges: union(first.spec.ranges, other) as Ranges }
  const model = new FixedModel(spec)
  return [
    { ...first, spec, model },
    { ...first, spec, model, tensors },
  ]
}
