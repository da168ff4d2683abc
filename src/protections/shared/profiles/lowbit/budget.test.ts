/** What quantized models cost a pass, by their plans: the engine's tests hold wires against what plans declare. */
import { expect, it } from 'vitest'
import { demoConfig, type ModelConfig } from '../../../../model/architectures/config.ts'
import { benchConfigs } from '../../../../model/random.ts'
import { planDealtBytes } from '../../cost.ts'
import { messageBytes, schedule } from '../../schedule.ts'
import { type Form, formOf } from './form.ts'
import { LowbitModel, specOf } from './lowbit-model.ts'
import { type ColumnScales, randomQuantization } from './random.ts'

interface Budget {
  readonly hops: number
  /** Megabytes. */
  readonly up: number
  readonly down: number
  readonly dealt: number
}

/** Hops and bytes of a pass of `rows` behind `base` others. */
function costOf(config: ModelConfig, scales: ColumnScales, base: number, rows: number, form?: Form): Budget {
  const spec = specOf('shape', config, randomQuantization(config, { scales, octaves: 2 }), { form })
  const model = new LowbitModel(spec)
  const plan = model.variant({ base, rows }).compile()
  const shape = model.shapeOf({ base, rows, serial: 0 })
  const { hops, messages } = schedule(plan)
  const sent = (from: string): number =>
    messages.reduce((sum, m) => sum + (m.from === from ? messageBytes(shape, m) : 0), 0)
  const mega = (bytes: number): number => bytes / 1e6
  return {
    hops,
    up: mega(sent('owner')),
    down: mega(sent('server')),
    dealt: mega(planDealtBytes([shape], plan)),
  }
}

const { ropeTheta: _, ...demo } = demoConfig
const bert: ModelConfig = { ...benchConfigs['bert-base'], arch: 'rms-bert', activation: 'relu', eps: 1e-6 }
const chat: ModelConfig = { ...demo, arch: 'parallel-llama', activation: 'silu' }

/** A budget in kilobytes. */
const kilobytes = ({ hops, ...bytes }: Budget): number[] => [
  hops,
  ...[bytes.up, bytes.down, bytes.dealt].map((mb) => Math.round(1000 * mb)),
]

it.each<[string, Budget, number[]]>([
  ['BERT-base, 128 tokens', costOf(bert, 'public', 0, 128), [96, 44005, 28190, 247561]],
  [
    'BERT-base, 128 tokens, private column scales',
    costOf(bert, 'private', 0, 128),
    [96, 46807, 28596, 262888],
  ],
  ['BERT-base, 32 tokens', costOf(bert, 'public', 0, 32), [96, 9287, 5333, 47292]],
  ['a chat in parallel blocks, a token', costOf(chat, 'public', 127, 1), [24, 33, 23, 351]],
  [
    'a chat in sequential blocks, a token',
    costOf(chat, 'public', 127, 1, { ...formOf(chat), isParallel: false }),
    [40, 36, 25, 464],
  ],
])('%s: hops, kilobytes up, down and dealt', (_, budget, want) => {
  expect(kilobytes(budget)).toEqual(want)
})
