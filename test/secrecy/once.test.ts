/**
 * Dynamic mask discipline, of all three parties: whatever sessions do, every block of every keystream is consumed once,
 * under a key that serves nothing else.
 */
import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/protections/protection.ts'
import type { Plan } from '../../src/protections/shared/plan.ts'
import { streamId, weightMaskStream } from '../../src/protections/shared/prg.ts'
import { HEAD_BYTES } from '../../src/protections/shared/session/material-stream.ts'
import { BINDING_BYTES } from '../../src/protections/shared/session/pass-binding.ts'
import { decodeRequest } from '../../src/protections/shared/session/pass-messages.ts'
import { rowCount, type Shape } from '../../src/protections/shared/shape.ts'
import { isUnderMask, type Role } from '../../src/protections/shared/values.ts'
import { lowbitDecoder, lowbitEncoder, tinyParallel, tinyRmsBert } from '../support/protocol/lowbit.ts'
import { MaskLedger, type Reading } from '../support/protocol/mask-ledger.ts'
import {
  type AnyTiny,
  type TinyDecoder,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../support/protocol/models.ts'
import { sessionKernels, WatchedSession } from '../support/protocol/session.ts'

type Ledgers = Record<Role | 'dealer', MaskLedger>

interface Pass {
  readonly shape: Shape
  readonly plan: Plan
  /** Of the server's masks. */
  readonly key: string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** F's, of all sessions of one start of the server: what is derived from it is no mask of a row. */
const stationary = new Uint8Array(32).fill(99)

/** Sessions of one process at each party, one after another: `talk` uses each of them. */
async function watched(model: AnyTiny, talk: (session: WatchedSession) => Promise<void>) {
  const [owner, server, dealer] = [0, 1, 2].map(() => new MaskLedger(sessionKernels))
  const ledgers: Ledgers = { owner, server, dealer }
  const sessions: Pass[][] = []
  for (const n of [1, 2]) {
    const session = new WatchedSession(
      model,
      { seed: new Uint8Array(32).fill(n), stationary },
      {},
      {
        owner: owner.kernels,
        server: server.kernels,
        dealer: dealer.kernels,
      },
    )
    await talk(session)
    sessions.push(
      session.requests.map((request, i) => {
        const shape = session.plans.shapeOf(decodeRequest(request))
        const key = hex(Buffer.concat(session.dealt[i]).subarray(BINDING_BYTES, HEAD_BYTES))
        return { shape, plan: session.plans.of(shape).plan, key }
      }),
    )
    await session.link.close()
  }
  return { ledgers, sessions }
}

/** Streams that hide one value, or share one, and that a party reads more than once for it: how often it may. */
function readAgain({ steps, weights }: Plan, role: Role | 'dealer'): Map<number, number> {
  const times = new Map<number, number>()
  const again = (stream: number): void => void times.set(stream, (times.get(stream) ?? 1) + 1)
  // The owner's products are made ahead; a split model's opening is widened; the dealer multiplies by parts of a mask:
  // each for every weight that multiplies one value.
  for (const { visibility, index, maskStream = weightMaskStream(index) } of weights)
    if (visibility === 'split' || role !== 'server') again(maskStream)
  for (const { id, op, slots, out, needs } of steps) {
    if (role === 'owner' && op === 'input') again(streamId(id, 0))
    // A lift is read by each step that lifts.
    if (role === 'owner' && op === 'open') for (const i of slots.keys()) again(streamId(id, i))
    // A part of an opening, or one in a part of its ring, is the same value under the same mask.
    if (role !== 'dealer' && isUnderMask(out) && ['narrowOpening', 'lastRow'].includes(op)) again(out.stream)
    // What is looked at of a value that was opened: the lift of it, and the server's part of its mask.
    if (role === 'owner' && op === 'overflow') for (const i of [0, 1]) again(streamId(needs.owner[1].step, i))
    if (role === 'dealer' && op === 'stray' && isUnderMask(needs.owner[1])) again(needs.owner[1].stream)
    const products = steps.filter((s) => s.op === 'linearSplit' && s.needs.server.some((v) => v.step === id))
    if (role === 'dealer' && out.kind === 'opened') for (const _ of products) again(out.stream)
  }
  return times
}

const rowsOf = ({ shape: { serial, rows } }: Pass): number[] =>
  Array.from({ length: rows }, (_, r) => serial + r)

/** Complaints about rows whose stream was read more often than one value takes. */
function tooOften(readings: readonly Reading[], passes: readonly Pass[], role: Role | 'dealer'): string[] {
  const again = new Map(
    passes.flatMap((p) => rowsOf(p).map((row) => [row, readAgain(p.plan, role)] as const)),
  )
  return readings
    .filter(({ times, stream, serial }) => times > (again.get(serial)?.get(stream) ?? 1))
    .map(({ stream, serial, times }) => `the ${role} read stream ${stream} of row ${serial} ${times} times`)
}

const chat = (model: TinyDecoder) => async (session: WatchedSession) => {
  const { owner } = session
  const say = (base: number, ids: number[], o = {}) => owner.run(base, model.ends.embed(ids, base), o)
  await say(0, [5, 9, 5], { next: true })
  await say(3, [5], { next: true })
  // Prepared and not used: the next pass begins elsewhere, at a turn that was edited.
  await say(2, [7, 7, 21])
  // Stopped under way.
  const stop = new AbortController()
  session.onMessage = ({ from }) => (from === 'server' ? void stop.abort() : undefined)
  await expect(say(5, [1, 2], { signal: stop.signal })).rejects.toThrow(Cancelled)
  session.onMessage = () => undefined
  await say(5, [1, 2], { next: true })
  await owner.drop()
}

const llama = { ...tinyLlama, layers: 1 }
const decoders = {
  'a private chat': tinyModel(llama),
  'a chat with biases, half of it public': tinyModel({ ...tinyGpt2, layers: 1 }, 'mixed'),
  'a public chat': tinyModel(llama, 'public'),
  'a split chat': tinyModel(llama, 'split'),
  'a quantized chat': lowbitDecoder(tinyParallel),
  'a quantized chat with SiLU, split': lowbitDecoder(
    { ...tinyParallel, activation: 'silu' },
    { isSplit: true },
  ),
}
const encoders = {
  'a private encoder in row chunks': tinyEncoder({ ...tinyBert, layers: 1 }),
  'a split encoder in row chunks': tinyEncoder({ ...tinyBert, layers: 1 }, 'split'),
  'a quantized encoder in row chunks': lowbitEncoder(tinyRmsBert),
  'a split quantized encoder in row chunks': lowbitEncoder(tinyRmsBert, { isSplit: true }),
}
const text = (n: number) => ({ ids: Array.from({ length: n }, (_, i) => 1 + i), types: Array(n).fill(0) })

/** Passes that were asked for, and which of them ended. */
const chatted = { asked: 7, ended: [0, 1, 3, 5] }
const classified = { asked: 2, ended: [0, 1] }

const cases: [string, AnyTiny, (session: WatchedSession) => Promise<void>, typeof chatted][] = [
  ...Object.entries(decoders).map(([name, model]): (typeof cases)[number] => [
    name,
    model,
    chat(model),
    chatted,
  ]),
  ...Object.entries(encoders).map(([name, model]): (typeof cases)[number] => {
    const classify = async ({ owner }: WatchedSession): Promise<void> => {
      for (const n of [20, 30]) {
        const { rows, padding } = model.ends.input(text(n))
        await owner.run(0, rows, { padding, next: n === 20 ? 32 : false })
      }
    }
    return [name, model, classify, classified]
  }),
]

describe.each(cases)('%s', (_name, model, talk, { asked, ended }) => {
  const run = watched(model, talk)

  it('reads no block of a keystream for a second value, at any party', async () => {
    const { ledgers, sessions } = await run
    expect(sessions.map((passes) => passes.length)).toEqual([asked, asked])
    // Serials begin anew in each session: only its keys keep two sessions apart.
    const passes = sessions.flat()
    for (const role of ['owner', 'server', 'dealer'] as const) {
      const readings = ledgers[role].readings.filter(({ key }) => key !== hex(stationary))
      expect(readings.length).toBeGreaterThan(100)
      expect(tooOften(readings, passes, role)).toEqual([])
    }
  })

  it('has a new key of the server’s masks in every pass, and reads it for that pass’s rows alone', async () => {
    const { ledgers, sessions } = await run
    const passes = sessions.flat()
    const byKey = new Map(passes.map((pass) => [pass.key, pass]))
    expect(byKey.size).toBe(passes.length)
    for (const { key, serial } of ledgers.server.readings) expect(rowsOf(byKey.get(key)!)).toContain(serial)
  })

  it('masks every row of every opening at the server, from that row’s own keystream', async () => {
    const { ledgers, sessions } = await run
    const read = new Set(ledgers.server.readings.map((r) => `${r.key} ${r.stream} ${r.serial}`))
    const want = new Set<string>()
    for (const { shape, plan, key } of sessions.flatMap((passes) => ended.map((i) => passes[i])))
      for (const { out } of plan.steps)
        if (out.kind === 'opened')
          for (let r = 0; r < shape.rows; r++)
            if (rowCount(shape, r, out.layout, out.width) > 0)
              want.add(`${key} ${out.stream} ${shape.serial + r}`)
    expect([...want].filter((row) => !read.has(row))).toEqual([])
  })

  it('reads at the owner what the dealer corrected, and its own share of the input under a key of its own', async () => {
    const { ledgers, sessions } = await run
    const dealt = new Set(ledgers.dealer.readings.map((r) => `${r.key} ${r.stream} ${r.serial}`))
    const dealerKeys = new Set(ledgers.dealer.readings.map((r) => r.key))
    const [{ plan }] = sessions[0]
    const input = streamId(
      plan.steps.findIndex((step) => step.isInput),
      0,
    )
    const secret = ledgers.owner.readings.filter((r) => r.stream === input && !dealerKeys.has(r.key))
    // An input that is all the owner's own is not shared, but blinded like any other value.
    expect(new Set(secret.map((r) => r.key)).size).toBe(plan.steps[0].wire ? sessions.length : 0)
    // Products made ahead are made of every row, those that have no place in the end included.
    const isOfStep = ({ key, stream }: Reading): boolean =>
      dealerKeys.has(key) && stream < weightMaskStream(0)
    const taken = ledgers.owner.readings.filter(
      (r) => isOfStep(r) && !dealt.has(`${r.key} ${r.stream} ${r.serial}`),
    )
    expect(taken).toEqual([])
  })
})
