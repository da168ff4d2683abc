import type { ModelConfig } from '../../../src/model/architectures/config.ts'
import { randomModel } from '../../../src/model/random.ts'
import { calibrate } from '../../../src/protections/shared/profiles/fixed/calibrate.ts'
import { FixedModel } from '../../../src/protections/shared/profiles/fixed/fixed-model.ts'
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

/** Two models that differ in their private weights alone: shapes, names, public tensors and ranges are the same. */
export function twins(config: ModelConfig, privacy: Privacy): [TinyModel, TinyModel] {
  const first = tinyModel(config, privacy)
  const tensors = new Map(first.tensors)
  for (const [name, tensor] of randomModel(config, 99))
    if (/(layers|h)\.\d+\./.test(name)) tensors.set(name, tensor)
  const all = Array.from({ length: config.vocab }, (_, id) => id)
  const other = calibrate(config, tensors, [all, all.toReversed()])
  const spec = { ...first.spec, ranges: union(first.spec.ranges, other) as Ranges }
  const model = new FixedModel(spec)
  return [
    { ...first, spec, model },
    { ...first, spec, model, tensors },
  ]
}
