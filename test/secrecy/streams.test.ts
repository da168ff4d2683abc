/** Static mask discipline: no keystream of a plan serves two purposes. */
import { describe, expect, it } from 'vitest'
import { maskLanes, slotLanes, slotStream } from '../../src/protections/shared/correlations/keystreams.ts'
import type { Plan } from '../../src/protections/shared/plan.ts'
import { isKept, MASK_STREAM, weightSumStream } from '../../src/protections/shared/prg.ts'
import { compileModel } from '../../src/protections/shared/profiles/fixed/compile.ts'
import type { PlanOptions } from '../../src/protections/shared/profiles/profile.ts'
import type { Shape } from '../../src/protections/shared/shape.ts'
import type { Masked, Opened, UnderMask } from '../../src/protections/shared/values.ts'
import { privateWeights } from '../../src/protections/shared/weights/stationary.ts'
import { lowbitDecoder, lowbitEncoder, tinyParallel, tinyRmsBert } from '../support/protocol/lowbit.ts'
import {
  type AnyTiny,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
  tinyRoberta,
} from '../support/protocol/models.ts'
import { readsOf } from '../support/protocol/prg.ts'

const shape: Shape = { base: 2, rows: 3, serial: 100 }

interface Use {
  readonly purpose: string
  readonly streams: ReadonlySet<number>
}

/** Everything that a plan takes from the owner's keystreams, mask by mask and slot by slot. */
function usesOf(plan: Plan): { masks: Map<UnderMask, number>; slots: Use[] } {
  const masks = new Map<UnderMask, number>()
  const slots: Use[] = []
  for (const step of plan.steps) {
    const { out } = step
    if (out.kind === 'opened' || out.kind === 'masked') {
      const reads = readsOf((prg) => maskLanes(prg, shape, out))
      expect(new Set(reads.map((r) => r.stream)).size).toBe(1)
      masks.set(out, reads[0].stream)
    }
    for (const slot of step.slots) {
      const reads = readsOf((prg) => slotLanes(prg, shape, step, slot))
      // Each row has a serial of its own, and reads no more than once.
      expect(new Set(reads.map((r) => r.serial)).size).toBe(reads.length)
      for (const { serial } of reads) {
        expect(serial).toBeGreaterThanOrEqual(shape.serial)
        expect(serial).toBeLessThan(shape.serial + shape.rows)
      }
      slots.push({
        purpose: `${step.op} ${step.id} ${slot.name}`,
        streams: new Set(reads.map((r) => r.stream)),
      })
    }
  }
  return { masks, slots }
}

const few: PlanOptions = { goal: 'bytes' }
const models: [string, AnyTiny, isSplit: boolean, PlanOptions][] = [
  ['llama, private', tinyModel(tinyLlama), false, {}],
  ['llama, private, few bytes', tinyModel(tinyLlama), false, few],
  ['llama, public', tinyModel(tinyLlama, 'public'), false, {}],
  ['llama, mixed', tinyModel(tinyLlama, 'mixed'), false, {}],
  ['gpt2, private', tinyModel(tinyGpt2), false, {}],
  ['gpt2, mixed, few bytes', tinyModel(tinyGpt2, 'mixed'), false, few],
  ['gpt2, public', tinyModel(tinyGpt2, 'public'), false, {}],
  ['llama, split', tinyModel(tinyLlama, 'split'), true, {}],
  ['gpt2, half of it split, few bytes', tinyModel(tinyGpt2, 'mixed split'), true, few],
  ['bert, private', tinyEncoder(tinyBert), false, {}],
  ['roberta, mixed', tinyEncoder(tinyRoberta, 'mixed'), false, {}],
  ['bert, split', tinyEncoder(tinyBert, 'split'), true, {}],
  ['quantized encoder', lowbitEncoder(tinyRmsBert), false, {}],
  ['quantized decoder with SiLU', lowbitDecoder({ ...tinyParallel, activation: 'silu' }), false, {}],
  ['quantized encoder, split', lowbitEncoder(tinyRmsBert, { isSplit: true }), true, {}],
]

/** Operations that show nothing new of an opening: part of it, in part of its ring. */
const VIEWS = ['narrowOpening', 'lastRow']

describe.each(models)('%s', (_, { config, model }, isSplit, options) => {
  const plan = model.variant({ base: 0, rows: 12 }, options).compile()
  const isQuantized = model.profile !== 'fixed'
  const { masks, slots } = usesOf(plan)
  const opOf = (v: UnderMask): string => plan.steps[v.step].op
  const all = [...masks.keys()].filter((v) => !VIEWS.includes(opOf(v)))
  const isWidened = (v: UnderMask): boolean => opOf(v) === 'widenOpening'
  const opened = all.filter((v) => v.kind === 'opened' && !isWidened(v))
  const widened = all.filter(isWidened) as Opened[]
  const masked = all.filter((v) => v.kind === 'masked')

  it('has openings, and names the slots of each step apart', () => {
    expect(opened.length).toBeGreaterThan(10 * config.layers)
    const prints = masked.filter((v) => opOf(v) === 'openPrint').length
    const products = new Set(privateWeights(plan).map((w) => w.maskStream)).size
    expect(masked.length).toBe(products + prints)
    for (const { slots } of plan.steps) {
      expect(new Set(slots.map((s) => s.name)).size).toBe(slots.length)
      expect(slots.length).toBeLessThanOrEqual(MASK_STREAM)
    }
  })

  it('masks every opened value with a stream of its own', () => {
    expect(new Set(opened.map((v) => masks.get(v))).size).toBe(opened.length)
  })

  it('opens to the server with a stream of its own, or once with that of the opening that it completes', () => {
    const streams = masked.map((v) => masks.get(v))
    expect(new Set(streams).size).toBe(masked.length)
    for (const value of masked) {
      const twin = opened.find((o) => masks.get(o) === masks.get(value))
      if (!twin) continue
      const step = plan.steps[value.step]
      expect((twin as Opened).maskRing).toBeGreaterThanOrEqual(value.ring)
      // The server makes it of D and of its own part of the mask: nothing is said.
      if (step.op === 'known') {
        expect([step.needs.server, step.wire]).toEqual([[twin], undefined])
        continue
      }
      // The one-time pad is shared on purpose: the masked value is the same one, its low bits are those of D.
      expect(step.needs.owner).toEqual([twin])
      expect(step.wire).toMatchObject({ from: 'owner', bits: value.ring - (twin as Opened).ring })
    }
  })

  it('widens each opening once, under the mask that it has, and sends the high part alone', () => {
    const twins = widened.map((value) => plan.steps[value.step].needs.owner[0] as Opened)
    expect(new Set(twins).size).toBe(widened.length)
    expect(widened.length > 0).toBe(isSplit && !isQuantized)
    widened.forEach((value, i) => {
      expect(opened).toContain(twins[i])
      expect(masks.get(value)).toBe(masks.get(twins[i]))
      expect(value.maskRing).toBe(twins[i].maskRing)
      expect(value.maskRing).toBeGreaterThanOrEqual(value.ring)
      const wire = {
        from: 'both',
        bits: value.ring - twins[i].ring,
        width: value.width,
        layout: value.layout,
      }
      expect(plan.steps[value.step].wire).toEqual(wire)
    })
  })

  it('gives every dealt slot a stream of its own, never that of a mask', () => {
    const taken = new Map([...masks].map(([v, stream]) => [stream, `${v.kind} ${v.step}`]))
    const clashes: string[] = []
    for (const { purpose, streams } of slots)
      for (const stream of streams) {
        const other = taken.get(stream)
        if (other) clashes.push(`${purpose} and ${other}`)
        taken.set(stream, purpose)
      }
    expect(clashes).toEqual([])
  })

  it('puts what masks of cached values go into under streams that are kept, and nothing else', () => {
    const kept = new Set(plan.steps.flatMap(({ attends }) => (attends ? [attends.step] : [])))
    expect(kept.size).toBe(2 * config.layers)
    for (const [value, stream] of masks)
      expect([value.step, isKept(stream)]).toEqual([value.step, kept.has(value.step)])
    for (const step of plan.steps) {
      const isOfKept = [...step.needs.owner, ...step.needs.server].some((value) => kept.has(value.step))
      // Whatever is dealt for a step that reads a cached value may have its mask in it.
      if (step.slots.length > 0) expect([step.op, isOfKept]).toEqual([step.op, step.attends !== undefined])
      for (const slot of step.slots) expect(isKept(slotStream(step, slot))).toBe(isOfKept)
    }
  })

  it('feeds each private product from its own masked value and its own sum', () => {
    const sums = new Set<number>()
    for (const use of privateWeights(plan)) {
      const step = plan.steps.find((s) => s.slots[0]?.stream === weightSumStream(use.index))
      const e = step?.needs.server[0] as Masked
      expect(masks.get(e)).toBe(use.maskStream)
      sums.add(weightSumStream(use.index))
    }
    expect(sums.size).toBe(privateWeights(plan).length)
  })

  it('opens within the mask’s ring, and the offset leaves room for the sign', () => {
    for (const value of opened as Opened[]) {
      const step = plan.steps[value.step]
      expect(step.wire).toMatchObject({
        from: 'both',
        bits: value.ring,
        layout: value.layout,
        width: value.width,
      })
      expect(value.maskRing).toBe(Math.max(value.ring, value.lift))
      expect(step.needs.owner[0].ring).toBeGreaterThanOrEqual(value.ring)
    }
  })

  it('puts nothing on the wire but the input, openings to both or to the server, and the release', () => {
    const ops = plan.steps.filter((s) => s.wire).map((s) => s.op)
    const toServer = (op: string): string => (op === 'openLiftedToServer' ? 'openToServer' : op)
    const isPublic = plan.weights.every((w) => w.visibility === 'public')
    const own = isPublic || (isSplit && isQuantized) ? [] : [isSplit ? 'widenOpening' : 'openToServer']
    const input = isQuantized ? [] : ['input']
    const prints = isQuantized || isPublic ? [] : ['openPrint']
    expect(new Set(ops.map(toServer))).toEqual(new Set(['open', 'release', ...input, ...own, ...prints]))
    expect(ops.filter((op) => op === 'input')).toEqual(input)
    expect(ops.filter((op) => op === 'release')).toHaveLength(1 + plan.alarms.length)
    expect(plan.alarms.length > 0).toBe(!isQuantized)
  })
})

it.each([
  [
    'decoder',
    tinyModel({ ...tinyLlama, context: 1024 }, 'mixed').spec,
    [{}, { goal: 'bytes' as const }, { everyRow: true }],
  ],
  ['encoder', tinyEncoder({ ...tinyBert, context: 512 }, 'mixed').spec, [{}]],
])('products made ahead fit every plan of a %s: the same weights, rings and streams', (_, spec, options) => {
  const plans = [3, 5, 7, 10].flatMap((bits) => options.map((o) => compileModel(spec, bits, o)))
  for (const plan of plans) {
    expect(privateWeights(plan)).toEqual(privateWeights(plans[0]))
    expect(usesOf(plan).slots.filter((s) => s.purpose.startsWith('linear')).length).toBeGreaterThan(0)
  }
})
