/** Audits of passes behind real ones: what is found, what is not, and that they say nothing of what was cached before. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { coin } from '../../../../test/support/protocol/coin.ts'
import { lowbitDecoder, tinyParallel } from '../../../../test/support/protocol/lowbit.ts'
import { MaskLedger } from '../../../../test/support/protocol/mask-ledger.ts'
import { type TinyDecoder, tinyGpt2, tinyLlama, tinyModel } from '../../../../test/support/protocol/models.ts'
import { fixedKeys, sessionKernels, WatchedSession } from '../../../../test/support/protocol/session.ts'
import { deriveKey, passKeys } from '../prg.ts'
import { MASK_KEY } from './dealer-passes.ts'
import { HEAD_BYTES } from './material-stream.ts'
import { decodePass, decodeRequest } from './pass-messages.ts'

const llama = tinyModel({ ...tinyLlama, layers: 1 })
const say = (session: WatchedSession, model: TinyDecoder, ids: number[], base = 0, next = true) =>
  session.owner.run(base, model.ends.embed(ids, base), { next })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const ids = (n: number): number[] => Array.from({ length: n }, (_, i) => 1 + (i % 20))
/** What was shown, and of which passes. */
const shown = ({ wire }: WatchedSession) =>
  wire.flatMap(({ bytes }) => {
    const message = decodePass(bytes)
    return message.kind === 'audit' ? [message] : []
  })

afterEach(() => {
  vi.restoreAllMocks()
})

describe('an honest dealer passes, and answers stay as they are', () => {
  it.each<[string, TinyDecoder, rows: number, error: number]>([
    ['a turn of two row chunks', llama, 33, 0.01],
    [
      'a turn of a model with biases, half of it public',
      tinyModel({ ...tinyGpt2, layers: 1 }, 'mixed'),
      2,
      0.01,
    ],
    // Steps of few bits round by more.
    ['a turn of a quantized model', lowbitDecoder(tinyParallel), 3, 0.5],
  ])('in %s', async (_, model, rows, error) => {
    const answers: Float64Array[][] = []
    // The turn is rehearsed twice, then the second row of its reply, which was prepared for that, and the first is not.
    for (const behind of [[], [false, true, false, true, false, false, true, false]]) {
      const session = new WatchedSession(model, fixedKeys(1), { audits: coin([], 0, behind) })
      const got = [await say(session, model, [5, 9, 5])]
      got.push(await say(session, model, ids(rows), 3))
      for (const at of [0, 1]) got.push(await say(session, model, [7], 3 + rows + at, at === 0))
      answers.push(got)
      if (behind.length === 0) continue
      expect(session.owner.totals).toMatchObject({ passes: 4, rows: 5 + rows })
      expect(session.owner.totals.audited).toBeGreaterThan(1)
      expect(session.owner.totals.rehearsed).toBe(session.owner.totals.audited)
      expect(shown(session)).toHaveLength(session.owner.totals.audited)
    }
    for (const [i, answer] of answers[0].entries())
      for (const [j, x] of answer.entries()) expect(Math.abs(answers[1][i][j] - x)).toBeLessThan(error)
  })
})

describe('a dealer that deals a later turn wrongly', () => {
  const found = { code: 'audit-failed', message: expect.stringContaining('https://dealer.example') }
  const turn = async (behind: boolean[], change: (session: WatchedSession) => void) => {
    const session = new WatchedSession(llama, fixedKeys(2), { audits: coin([], 0, behind) })
    await say(session, llama, [5, 9, 5], 0, false)
    change(session)
    return { session, answer: say(session, llama, [7, 7], 3, false) }
  }
  /** Adds one to a byte of pass 2. */
  const change = (at: number) => (session: WatchedSession) => {
    let passed = 0
    session.onDealt = (pass, chunk) => {
      const i = at - passed
      if (pass !== 2) return chunk
      passed += chunk.length
      if (i >= 0 && i < chunk.length) chunk[i]++
      return chunk
    }
  }

  it.each([HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 12_345])(
    'is found where it changes the byte at %i, before a word of the turn is in any pass',
    async (at) => {
      const { session, answer } = await turn([true], change(at))
      await expect(answer).rejects.toMatchObject(found)
      await expect(session.server).rejects.toMatchObject({ code: 'audit-failed' })
      expect(session.requests).toHaveLength(2)
    },
  )

  it('is not found where the coin does not fall so', async () => {
    // What it spoils may be out of range, and that is all the owner hears.
    const { answer } = await turn([false], change(HEAD_BYTES))
    await expect(answer.catch((error) => error.code)).resolves.not.toBe('audit-failed')
  })

  it('is not found where it changes what goes with cached keys and values, unless their beginning is rehearsed, too', async () => {
    let wrong = false
    const dealer = new Proxy(sessionKernels, {
      get: (target, name) =>
        name === 'contract' && wrong
          ? (...args: Parameters<typeof sessionKernels.contract>) => {
              const out = sessionKernels.contract(...args)
              out[0]++
              return out
            }
          : Reflect.get(target, name),
    })
    const session = new WatchedSession(
      llama,
      fixedKeys(3),
      { audits: coin([false, true], 0, [true]) },
      { owner: sessionKernels, server: sessionKernels, dealer },
    )
    await say(session, llama, [5, 9, 5], 0, false)
    wrong = true
    await say(session, llama, [7, 7], 3, false)
    expect(session.owner.totals.audited).toBe(1)
    await expect(say(session, llama, [5, 9, 5], 0, false)).rejects.toMatchObject(found)
  })
})

describe('an audit behind real passes says nothing of them', () => {
  const root = deriveKey(sessionKernels, fixedKeys(4).seed, MASK_KEY)

  it('shows one key, and the owner’s side of products with what is cached is not the dealer’s', async () => {
    const ledger = new MaskLedger(sessionKernels)
    const at = { owner: ledger.kernels, server: sessionKernels, dealer: sessionKernels }
    const audits = coin([], 0, [true, false])
    const session = new WatchedSession(llama, fixedKeys(4), { audits }, at)
    await say(session, llama, [5, 9, 5], 0, false)
    await say(session, llama, [7, 7], 3, false)
    const [{ pass, payload }] = shown(session)
    const { serial } = decodeRequest(session.requests[pass - 1])
    const keys = passKeys(sessionKernels, root, serial)
    expect(hex(payload)).toBe(hex(keys.pass))
    const read = new Set(ledger.readings.map(({ key }) => key))
    expect(read.has(hex(keys.pass))).toBe(true)
    expect(read.has(hex(keys.kept))).toBe(false)
    // Of real passes it is.
    const others = session.requests
      .map((request) => decodeRequest(request).serial)
      .filter((s) => s !== serial)
    expect(others).toHaveLength(2)
    for (const other of others) expect(read.has(hex(passKeys(sessionKernels, root, other).kept))).toBe(true)
  })

  it('sends the same whatever was cached: all that is said follows from what is shown, and from the answers', async () => {
    const sent = async (words: number[]) => {
      let drawn = 0
      vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
        if (array) new Uint8Array(array.buffer, array.byteOffset, array.byteLength).fill(++drawn)
        return array
      })
      const session = new WatchedSession(llama, fixedKeys(4), { audits: coin([], 0, [true, false]) })
      await say(session, llama, words, 0, false)
      const from = session.wire.length
      // What the server says would tell of the cache, which it has by right: here it always says the same.
      session.onMessage = ({ from: who, bytes }) => {
        const message = decodePass(bytes)
        const isOfRehearsal = who === 'server' && message.kind === 'data' && message.pass === 2
        return isOfRehearsal ? bytes.slice().fill(7, bytes.length - message.payload.length) : undefined
      }
      await say(session, llama, [7, 7], 3, false)
      const of = (passes: number[]) =>
        session.wire
          .slice(from)
          .filter(({ from: who, bytes }) => who === 'owner' && passes.includes(decodePass(bytes).pass))
          .map(({ bytes }) => hex(bytes))
      return { rehearsed: of([2]), real: of([3]) }
    }
    const [one, other] = [await sent([5, 9, 5]), await sent([11, 3, 8])]
    expect(one.rehearsed.length).toBeGreaterThan(5)
    expect(other.rehearsed).toEqual(one.rehearsed)
    expect(other.real).not.toEqual(one.real)
  })

  it('is asked for like the pass that follows it, and until it is shown nobody hears anything else', async () => {
    const run = async (behind: boolean[]) => {
      const session = new WatchedSession(llama, fixedKeys(5), { audits: coin([], 0, behind) })
      await say(session, llama, [5, 9, 5], 0, false)
      await say(session, llama, [7, 7], 3, false)
      return session
    }
    const [plain, audited] = [await run([]), await run([true, false])]
    expect(audited.requests.slice(0, 2)).toEqual(plain.requests)
    const sizes = ({ wire }: WatchedSession) => wire.map(({ from, bytes }) => [from, bytes[0], bytes.length])
    const end = sizes(plain).length
    expect(sizes(audited).slice(0, end)).toEqual(sizes(plain))
    expect(sizes(audited)[end][1]).toBe(5)
  })
})
