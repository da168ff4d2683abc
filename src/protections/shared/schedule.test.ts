import { describe, expect, it } from 'vitest'
import {
  type Privacy,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
  tinyRoberta,
} from '../../../test/support/protocol/models.ts'
import type { ModelConfig } from '../../model/architectures/config.ts'
import type { ModelSpec } from './profiles/fixed/block.ts'
import { compileModel } from './profiles/fixed/compile.ts'
import { messageBytes, type Schedule, schedule } from './schedule.ts'
import type { Role } from './values.ts'

const shape = { base: 3, rows: 2, serial: 0 }

/** Plays a schedule with sets instead of values; returns what is wrong. */
function faults({ messages, programs }: Schedule): string[] {
  const out: string[] = []
  const sent = { owner: new Set<number>(), server: new Set<number>() }
  for (const role of ['owner', 'server'] as Role[]) {
    const done = new Set<number>()
    const received = new Set<number>()
    for (const i of programs[role]) {
      if (i.kind === 'run') {
        const { id, op, needs, wire } = i.step
        if (done.has(id)) out.push(`${role} runs ${op} ${id} twice`)
        if (needs[role].some((v) => !done.has(v.step))) out.push(`${role} runs ${op} ${id} too early`)
        if (wire && wire.from !== role && !received.has(id)) out.push(`${role} runs ${op} ${id} unanswered`)
        done.add(id)
        continue
      }
      const { from, steps } = messages[i.message]
      if ((i.kind === 'send') !== (from === role))
        out.push(`${role}: message ${i.message} goes the wrong way`)
      for (const step of steps) {
        if (i.kind === 'receive') received.add(step.id)
        else if (sent[role].has(step.id)) out.push(`${role} sends ${step.op} ${step.id} twice`)
        else if (step.needs[role].some((v) => !done.has(v.step))) out.push(`${role} sends too early`)
        else sent[role].add(step.id)
      }
    }
    const order = programs[role].flatMap((i) => (i.kind === 'run' ? [] : [i.message]))
    if (order.join() !== messages.map((_, n) => n).join()) out.push(`${role} takes messages out of order`)
  }
  return out
}

const cases = [
  // Model, privacy, goal; hops a layer, and beyond all layers.
  [tinyLlama, 'private', 'hops', 14],
  [tinyGpt2, 'private', 'hops', 14],
  [tinyLlama, 'public', 'hops', 14],
  [tinyGpt2, 'public', 'hops', 14],
  [tinyLlama, 'private', 'bytes', 16],
] as const

describe.each(cases)('$arch', (config, privacy, goal, perLayer) => {
  const name = `${privacy}${goal === 'bytes' ? ', few bytes' : ''}`
  it.each([1, 2, 3])(`${name}: hops of %i layers are as declared, and messages alternate`, (layers) => {
    const { spec } = tinyModel({ ...config, layers }, privacy)
    const plan = compileModel(spec, 4, { goal })
    const s = schedule(plan)
    expect(s.hops).toBe(1 + perLayer * layers + 3)
    expect(faults(s)).toEqual([])
    // One message ahead, from the owner; then turn by turn, from the input to the release.
    expect(s.messages.map((m) => m.ahead)).toEqual([true, ...new Array(s.hops).fill(false)])
    s.messages.slice(1).forEach((m, i) => {
      expect(m.from).toBe(i % 2 === 0 ? 'owner' : 'server')
      expect(messageBytes(shape, m)).toBeGreaterThan(0)
    })
    expect(s.messages[1].steps.map((step) => step.op)).toContain('input')
    expect(s.messages.at(-1)?.steps.map((step) => step.op)).toContain('release')
  })
})

describe('encoders', () => {
  const headless = { ...tinyBert, head: undefined }
  const mlm = { ...tinyBert, head: { kind: 'mlm' } as const }
  it.each<[string, ModelConfig, Privacy, ModelSpec['ends'], number]>([
    ['a classifier', tinyBert, 'private', {}, 4],
    ['a public classifier', tinyRoberta, 'public', {}, 2],
    ['a classifier with a private embedding', tinyBert, 'private', { embed: 'private' }, 8],
    ['hidden states', headless, 'private', { head: 'public' }, 0],
    ['hidden states with private gains', headless, 'private', {}, 2],
    ['a masked language model', mlm, 'private', { head: 'public' }, 6],
    ['a masked language model, all private', mlm, 'private', {}, 8],
  ])('%s: hops of 1 to 3 layers are as declared', (_, config, privacy, ends, more) => {
    for (const layers of [1, 2, 3]) {
      const { spec } = tinyEncoder({ ...config, layers }, privacy, ends)
      const s = schedule(compileModel(spec, 5))
      expect(s.hops).toBe(14 * layers + more)
      expect(faults(s)).toEqual([])
      expect(s.messages[1].steps.map((step) => step.op)).toContain('input')
    }
  })
})

it.each(['private', 'public', 'mixed'] as Privacy[])(
  'every half of every step is sent once: %s',
  (privacy) => {
    const plan = compileModel(tinyModel(tinyLlama, privacy).spec, 5)
    const s = schedule(plan)
    expect(faults(s)).toEqual([])
    for (const step of plan.steps) {
      const carriers = s.messages.filter((m) => m.steps.includes(step)).map((m) => m.from)
      const due = step.wire?.from === 'both' ? ['owner', 'server'] : step.wire ? [step.wire.from] : []
      expect(carriers.sort()).toEqual(due)
    }
  },
)

it('with private weights the openings of linear outputs are sent ahead, and the input never is', () => {
  const { steps } = schedule(compileModel(tinyModel(tinyLlama).spec, 4)).messages[0]
  expect(steps.length).toBeGreaterThan(4)
  expect(new Set(steps.map((s) => s.op))).toEqual(new Set(['open']))
})

it('a plan that waits for itself is refused', () => {
  const plan = compileModel(tinyModel(tinyLlama).spec, 4)
  const at = plan.steps.findIndex((s) => s.op === 'open')
  const later = plan.steps[at + 5].out
  const steps = plan.steps.map((s, i) =>
    i === at ? { ...s, needs: { owner: [later], server: [later] } } : s,
  )
  expect(() => schedule({ ...plan, steps })).toThrow(RangeError)
})
