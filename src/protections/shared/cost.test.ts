/** What every operation of compiled models costs a pass, measured, is what it declares. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Run } from '../../../test/support/protocol/equivocation.ts'
import {
  lowbitDecoder,
  lowbitEncoder,
  tinyParallel,
  tinyRmsBert,
} from '../../../test/support/protocol/lowbit.ts'
import {
  type AnyTiny,
  type TinyModel,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../../../test/support/protocol/models.ts'
import { readsOf } from '../../../test/support/protocol/prg.ts'
import type { ModelConfig } from '../../model/architectures/config.ts'
import { maskLanes } from './correlations/keystreams.ts'
import { costOf, planDealtBytes } from './cost.ts'
import { inverseWords } from './ops/inverse.ts'
import type { Plan } from './plan.ts'
import { FixedModel } from './profiles/fixed/fixed-model.ts'
import { INVERSE_DEGREE } from './profiles/fixed/widths.ts'
import { schedule } from './schedule.ts'
import type { Goal } from './shape.ts'
import { isUnderMask } from './values.ts'

/** A calibration whose norms span more octaves than two levels of tables reach. */
function deep({ spec, ...model }: TinyModel): AnyTiny {
  const { ranges } = spec
  const layers = ranges.layers.map((r) => ({
    ...r,
    meanSquare1: [r.meanSquare1[0], 2 ** 22 * r.meanSquare1[1]] as const,
  }))
  return { ...model, model: new FixedModel({ ...spec, ranges: { ...ranges, layers } as typeof ranges }) }
}

/** Rows of the second layer see few others, and the mean of all is read. */
const windowed: ModelConfig = {
  ...tinyBert,
  arch: 'modernbert',
  types: undefined,
  ropeTheta: 1000,
  localRotary: { theta: 100, layers: [1], window: 4 },
  head: { kind: 'classify', labels: ['no', 'yes'], pooling: 'mean' },
}

const models: [string, AnyTiny, Goal][] = [
  ['a gated decoder, private', tinyModel(tinyLlama), 'hops'],
  ['a gated decoder, for long prompts', tinyModel(tinyLlama), 'bytes'],
  ['a gated decoder over many octaves', deep(tinyModel(tinyLlama)), 'hops'],
  ['a decoder with biases, public', tinyModel(tinyGpt2, 'public'), 'hops'],
  ['a decoder with biases, split', tinyModel(tinyGpt2, 'mixed split'), 'hops'],
  ['an encoder', tinyEncoder({ ...tinyBert, head: { kind: 'mlm' } }, 'mixed'), 'hops'],
  ['an encoder with windows', tinyEncoder(windowed, 'mixed'), 'hops'],
  ['a quantized encoder', lowbitEncoder(tinyRmsBert), 'hops'],
  ['an encoder by tables of four bits', lowbitEncoder(tinyRmsBert, { variant: 'tables' }), 'hops'],
  ['a quantized encoder, split', lowbitEncoder(tinyRmsBert, { isSplit: true }), 'hops'],
  ['a quantized decoder with SiLU', lowbitDecoder({ ...tinyParallel, activation: 'silu' }), 'hops'],
]

const compiled = models.map(([name, model, goal]) => {
  const plan = model.model.variant({ base: 0, rows: 3 }, { goal }).compile()
  return [name, model, plan] as const
})

describe.each(compiled)('of %s', (_, model, plan) => {
  const shape = model.model.shapeOf({ base: 0, rows: 3, serial: 17 })
  const order = schedule(plan)
  const input = BigUint64Array.from({ length: 3 * model.model.input.width }, (_v, i) => BigInt(i % 5))
  const pass = new Run(model, plan).pass(plan, order, shape, input)
  const parties = { owner: pass.owner, server: pass.server }

  it('every step sends and is dealt the declared bits, and waits for a message where it says so', () => {
    for (const step of plan.steps) {
      const { up, down, dealt, hops } = costOf(shape, step)
      const sent = (role: 'owner' | 'server'): number =>
        order.messages.some((m) => m.from === role && m.steps.includes(step))
          ? 8 * (step.half?.(parties[role]).length ?? 0)
          : 0
      const measured = {
        up: sent('owner'),
        down: sent('server'),
        dealt: 8 * (pass.corrections.get(step.id)?.length ?? 0),
        hops: Math.min(1, order.messages.filter((m) => m.steps.includes(step)).length),
      }
      expect({ op: step.op, ...measured }).toEqual({ op: step.op, up, down, dealt, hops })
    }
  })

  it('messages and dealt material are the sums of them', () => {
    for (const role of ['owner', 'server'] as const) {
      const bytes = order.messages.map((m, i) => (m.from === role ? pass.messages[i].length : 0))
      const declared = plan.steps.map((s) => costOf(shape, s)[role === 'owner' ? 'up' : 'down'] / 8)
      const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0)
      expect(sum(bytes)).toBe(sum(declared))
    }
    const dealt = [...pass.corrections.values()].reduce((n, bytes) => n + bytes.length, 0)
    expect(dealt).toBe(planDealtBytes([shape], plan))
  })

  it('as many words of keystream hide values as elements go under a mask', () => {
    const known = new Set<number>()
    for (const step of plan.steps) {
      const { out } = step
      if (!isUnderMask(out)) continue
      const reads = readsOf((prg) => maskLanes(prg, shape, out)).filter((r) => !known.has(r.stream))
      for (const { stream } of reads) known.add(stream)
      expect(costOf(shape, step).masks).toBe(reads.reduce((n, r) => n + r.n, 0))
    }
    const [first] = plan.steps
    // An input that is all the owner's own is under no mask yet.
    const own = first.wire ? pass.owner.ownerSecret(0, first.out.width, 8).length : 0
    expect(costOf(shape, first).masks).toBe(own)
  })

  it('tables of inverses have as many words as geometries are compared by', () => {
    for (const { op, slots } of plan.steps) {
      if (op !== 'inverse') continue
      const words = slots.reduce((n, { entries = 1, words = 1 }) => n + entries * words, 0)
      const entryBits = Math.log2(slots[0].entries ?? 1)
      expect(inverseWords({ entryBits, degree: INVERSE_DEGREE, levels: slots.length })).toBe(words)
    }
  })
})

it('no operation is left out', () => {
  const camel = (file: string): string => file.slice(0, -3).replace(/-./g, (x) => x[1].toUpperCase())
  const files = readdirSync(new URL('ops', import.meta.url)).filter((f) => /^[a-z-]+\.ts$/.test(f))
  const ops = (plan: Plan): string[] => plan.steps.map((s) => s.op)
  expect(new Set(compiled.flatMap(([, , plan]) => ops(plan)))).toEqual(new Set(files.map(camel)))
})
