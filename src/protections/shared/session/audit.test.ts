/** Audits of the dealer, in real sessions: what is found, what is not, and what they show. */
import { describe, expect, it } from 'vitest'
import { coin } from '../../../../test/support/protocol/coin.ts'
import { MaskLedger } from '../../../../test/support/protocol/mask-ledger.ts'
import {
  type AnyTiny,
  tinyBert,
  tinyEncoder,
  tinyGpt2,
  tinyLlama,
  tinyModel,
} from '../../../../test/support/protocol/models.ts'
import { fixedKeys, sessionKernels, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { AuditTrail } from './audit.ts'
import { HEAD_BYTES } from './material-stream.ts'
import { ModelPlans } from './model-plan.ts'
import { decodePass, decodeRequest, encodePass } from './pass-messages.ts'
import { toss } from './toss.ts'
import { undisturbed } from './turn.ts'

const llama = tinyModel({ ...tinyLlama, layers: 1 })
const chat = (session: WatchedSession, ids: number[], base = 0, next = true) =>
  session.owner.run(base, llama.ends.embed(ids, base), { next })
const shown = ({ wire }: WatchedSession) =>
  wire.map(({ bytes }) => decodePass(bytes)).filter(({ kind }) => kind === 'audit')

describe('an honest dealer passes, and answers stay as they are', () => {
  const models: [string, AnyTiny, number, boolean | number][] = [
    ['a chat', llama, 5, true],
    ['a chat of two row chunks', llama, 34, true],
    ['a chat with biases, half of it public', tinyModel({ ...tinyGpt2, layers: 1 }, 'mixed'), 3, true],
    ['texts that are prepared ahead', tinyEncoder(tinyBert), 16, 16],
    ['texts of two row chunks', tinyEncoder(tinyBert), 32, 32],
  ]

  it.each(models)('in %s', async (_, model, rows, next) => {
    const answers: Float64Array[][] = []
    for (const audits of [undefined, coin([true, false, true, true], 3)]) {
      const session = new WatchedSession(model, fixedKeys(1), { audits })
      const input = Float64Array.from({ length: rows * session.plans.inputWidth }, (_, i) => Math.sin(i))
      const first = await session.owner.run(0, input, { next })
      const second = await session.owner.run(0, input, { next })
      answers.push([first, second])
      if (!audits) continue
      expect(session.owner.totals).toMatchObject({ passes: 2, rows: 2 * rows })
      // The first text is rehearsed once, the second twice; a reply adds three passes each time.
      const passes = next === true ? 12 : 3
      expect(session.owner.totals).toMatchObject({ rehearsed: passes, audited: passes })
      expect(shown(session)).toHaveLength(passes)
    }
    for (const [i, answer] of answers[0].entries())
      for (const [j, x] of answer.entries()) expect(Math.abs(answers[1][i][j] - x)).toBeLessThan(0.01)
  })
})

/** A dealer that adds one to a byte of pass 1, at a place of its stream. */
const oneWord = (at: number) => (session: WatchedSession) => {
  let passed = 0
  session.onDealt = (pass, chunk) => {
    const i = at - passed
    if (pass !== 1) return chunk
    passed += chunk.length
    if (i >= 0 && i < chunk.length) chunk[i]++
    return chunk
  }
}

describe('a dealer that deals wrongly', () => {
  const found = {
    code: 'audit-failed',
    message: expect.stringContaining('https://dealer.example'),
  }

  it.each([HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 12_345])(
    'is found where it changes the byte at %i, before a word is in any pass',
    async (at) => {
      const session = new WatchedSession(llama, fixedKeys(2), { audits: coin([true]) })
      oneWord(at)(session)
      await expect(chat(session, [5, 9, 5])).rejects.toMatchObject(found)
      await expect(session.server).rejects.toMatchObject({ code: 'audit-failed' })
      // The session is over.
      await expect(chat(session, [5])).rejects.toMatchObject(found)
      expect(session.requests.filter((r) => decodeRequest(r).base === 0)).toHaveLength(1)
    },
  )

  it('is not found where the coin does not fall so', async () => {
    const session = new WatchedSession(llama, fixedKeys(2), { audits: coin([false, true]) })
    oneWord(HEAD_BYTES + 12_345)(session)
    await chat(session, [5, 9, 5])
    // The next one is, and this dealer is honest by then.
    await chat(session, [5, 9, 5])
    expect(session.owner.totals.audited).toBe(1)
  })

  it('is found in the pass of a reply that it spoils', async () => {
    const session = new WatchedSession(llama, fixedKeys(3), { audits: coin([true], 4) })
    session.onDealt = (pass, chunk) => (pass === 3 ? chunk.fill(0, chunk.length - 1) : chunk)
    await expect(chat(session, [5, 9, 5])).rejects.toMatchObject(found)
    expect(session.owner.totals.audited).toBe(2)
  })

  it.each<[string, (kernels: typeof sessionKernels) => Partial<typeof sessionKernels>]>([
    [
      'another mask',
      (base) => ({
        keystream: (key, nonce, offset, out) => {
          base.keystream(key, nonce, offset, out)
          // Of the first row.
          if (nonce[0] % 32 === 31 && nonce[4] === 0) out[0] ^= 1
        },
      }),
    ],
    [
      'another table',
      (base) => ({
        packRotated: (table, masks, words, bits, out) => {
          base.packRotated(table, masks, words, bits, out)
          out[0]++
        },
      }),
    ],
  ])('is found where it uses %s', async (_, change) => {
    const changed = change(sessionKernels)
    const dealer = new Proxy(sessionKernels, {
      get: (target, name) => Reflect.get(changed, name) ?? Reflect.get(target, name),
    })
    const at = { owner: sessionKernels, server: sessionKernels, dealer }
    const session = new WatchedSession(llama, fixedKeys(4), { audits: coin([true]) }, at)
    await expect(chat(session, [5, 9, 5])).rejects.toMatchObject(found)
  })
})

describe('an audit shows', () => {
  it('keys of rehearsed passes, under which no word ever was, and serials are burnt', async () => {
    const ledger = new MaskLedger(sessionKernels)
    const at = { owner: ledger.kernels, server: sessionKernels, dealer: sessionKernels }
    const session = new WatchedSession(llama, fixedKeys(5), { audits: coin([true, false, true], 2) }, at)
    await chat(session, [5, 9, 5])
    await chat(session, [7], 3)
    await chat(session, [5, 9])
    const audits = shown(session)
    expect(audits).toHaveLength(6)
    const keys = audits.map((m) => ('payload' in m ? Buffer.from(m.payload).toString('hex') : ''))
    // Of a pass, and of what is kept of it.
    const halves = keys.flatMap((both, i) => [both.slice(0, 64), both.slice(64)].map((key) => ({ key, i })))
    const shapes = session.requests.map(decodeRequest)
    const rowsOf = (pass: number): number[] =>
      Array.from({ length: shapes[pass - 1].rows }, (_, r) => shapes[pass - 1].serial + r)
    for (const { i, key } of halves) {
      const serials = new Set(ledger.readings.filter((r) => r.key === key).map((r) => r.serial))
      expect([...serials].sort((a, b) => a - b)).toEqual(rowsOf(audits[i].pass))
    }
    // No row has two passes, whether it was shown or not.
    const all = shapes.flatMap((_, i) => rowsOf(i + 1))
    expect(new Set(all).size).toBe(all.length)
  })

  it('nothing before its end: dealer and server see what they see of a pass that is none', async () => {
    const run = async (falls: boolean[]) => {
      const session = new WatchedSession(llama, fixedKeys(6), { audits: coin(falls, 1) })
      await chat(session, [5, 9, 5])
      await chat(session, [7], 3)
      return session
    }
    const [plain, audited] = [await run([]), await run([true])]
    // One pass is rehearsed with one of its reply, and one is prepared behind it: the dealer is asked for the same.
    expect(audited.requests.slice(0, 3)).toEqual(plain.requests.slice(0, 3))
    const sizes = ({ wire }: WatchedSession) => wire.map(({ from, bytes }) => [from, bytes[0], bytes.length])
    const before = sizes(audited).findIndex(([, kind]) => kind === 3)
    expect(before).toBeGreaterThan(10)
    expect(sizes(audited).slice(0, before)).toEqual(sizes(plain).slice(0, before))
  })
})

describe('a server refuses', () => {
  const ask = (pass: number) => encodePass({ kind: 'audit', pass, payload: new Uint8Array(64) })

  it.each<[string, (session: WatchedSession) => Promise<unknown>]>([
    ['to audit a pass that was never run', async ({ link }) => link.send(ask(1), true)],
    [
      'to audit one behind a pass that was not shown',
      async (session) => {
        await chat(session, [5, 9, 5])
        await chat(session, [7], 3)
        await session.link.send(ask(2), true)
      },
    ],
    [
      'to audit one from before the last beginning',
      async (session) => {
        await chat(session, [5, 9, 5], 0, false)
        await chat(session, [5, 9, 5], 0, false)
        await session.link.send(ask(1), true)
      },
    ],
    [
      'to audit a part of a pass that another one followed',
      async (session) => {
        await chat(session, [5, 9, 5])
        await chat(session, [7], 3, false)
        await session.link.send(encodePass({ kind: 'audit', pass: 1, payload: new Uint8Array(32) }), true)
      },
    ],
    [
      'a verdict',
      async ({ link }) =>
        link.send(encodePass({ kind: 'verdict', pass: 1, isRight: true, payload: new Uint8Array(64) }), true),
    ],
  ])('%s', async (_, talk) => {
    const session = new WatchedSession(llama, fixedKeys(7))
    await talk(session)
    await expect(session.server).rejects.toMatchObject({ code: 'out-of-turn' })
  })

  it('audits of split weights, and the owner asks for none', async () => {
    const split = tinyModel({ ...tinyLlama, layers: 1 }, 'split')
    const session = new WatchedSession(split, fixedKeys(8), { audits: coin([true]) })
    await session.owner.run(0, split.ends.embed([5, 9], 0))
    expect(session.owner.isAudited).toBe(false)
    expect(shown(session)).toEqual([])
    await session.link.send(ask(1), true)
    await expect(session.server).rejects.toMatchObject({ code: 'out-of-turn' })
  })

  it('audits that are more than a coin asks for', async () => {
    const trail = new AuditTrail(new ModelPlans(llama.model), {
      hash: () => ({ update: () => undefined, digest: () => new Uint8Array(32) }),
      expected: async () => ({ rest: new Uint8Array(32), kept: new Uint8Array(32) }),
      sign: async () => new Uint8Array(64),
    })
    const shape = { base: 0, rows: 1, serial: 0 }
    const audit = async (pass: number): Promise<boolean> => {
      trail.finish(pass, shape, new Uint8Array(32), trail.begin(shape))
      return trail.audit(pass, new Uint8Array(64), (_, work) => work(undisturbed))
    }
    for (let pass = 1; pass <= 128; pass++) expect(await audit(pass)).toBe(true)
    await expect(audit(129)).rejects.toMatchObject({ code: 'out-of-turn' })
  })
})

it('a coin falls as often as it is told to, by the words of the generator', () => {
  const falls = (word: number, probability: number) =>
    toss(probability, (words) => {
      words[0] = word
      return words
    })
  expect(falls(0, 0)).toBe(false)
  for (const probability of [1 / 16, 1 / 4]) {
    expect(falls(probability * 2 ** 32 - 1, probability)).toBe(true)
    expect(falls(probability * 2 ** 32, probability)).toBe(false)
  }
  // The system's own: 4096 tosses lie this far from their mean, of 5 sigma, once in two million runs.
  let heads = 0
  for (let i = 0; i < 4096; i++) if (toss(1 / 16)) heads++
  expect(Math.abs(heads - 256)).toBeLessThan(78)
})
