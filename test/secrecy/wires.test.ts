/**
 * Secrecy on the wires of the three real processes under a fixed key, with a model of each profile: whatever the input,
 * all that crosses them is uniform, and nothing that reaches the dealer depends on it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { floatModel } from '../../src/model/graph/decoder-model.ts'
import { streamId, weightMaskStream } from '../../src/protections/shared/prg.ts'
import { type ModelPlans, modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import { tinyParallel } from '../support/protocol/lowbit.ts'
import { writeLowbitBundle } from '../support/session/lowbit-bundle.ts'
import { writeTinyBundle } from '../support/session/tiny-bundle.ts'
import { type Extremes, extremes, writeExtremeBundle } from './extreme-bundle.ts'
import type { Session } from './owner-process.ts'
import { startTestProcesses, type TestProcesses } from './processes.ts'
import { announced, type Captures, captures, shapes, type WireSession } from './sessions.ts'
import { complaints, dealtKinds, digest, digests, kindsOf, sentKinds } from './wire-kinds.ts'

const SEED = 'a fixed key'
/** Of the questions of a session: every other session has them last, so that its questions begin with the same words. */
const LETTERS = [...'0123456789']

const { zero, largest, outOfRange } = extremes
const inputs = {
  'ordinary words': 'QUICK BROWN',
  'other words of this length': 'DIM VAULTS!',
  'one token over and over': 'Q'.repeat(11),
  nothing: zero.repeat(11),
  'the largest in range': largest.repeat(11),
  'far out of range': outOfRange.repeat(11),
  'one extreme after another': [...'ZXYXZYYZXXZ'].join(''),
}
const sessions = Object.values(inputs).map(
  (text, i): Session => ({
    questions: LETTERS.map((letter) => (i % 2 ? text + letter : letter + text)),
    maxTokens: 2,
  }),
)
const [a, b] = sessions
/** Of each reply, so that what is sent once a token is sent often enough to be tested. */
const REPLY = 14
const conversation: Session = { questions: ['QUICK', 'DIM?', 'VAULTS'], maxTokens: REPLY, areTurns: true }

interface Profile {
  readonly write: (folder: string) => Promise<Bundle>
  readonly extremes: Extremes
  /** What hides the input where it leaves the owner: of which step, from which stream, and whether that is its own alone. */
  readonly input: { readonly op: string; readonly stream: number; readonly isOwn: boolean }
  /** How many tokens the float model holds likelier than what is said, on average over a conversation, at most. */
  readonly likelier: number
}

const sign = (column: number): number => (column % 2 === 0 ? 1 : -1)
const profiles: [string, Profile][] = [
  [
    'of fixed point',
    {
      write: (folder) => writeTinyBundle(folder, 'tiny', { tied: false }),
      // Ranges have half as much head room again.
      extremes: { largest: (i) => 1.45 * sign(i), outOfRange: (i) => 3000 * sign(i) },
      input: { op: 'input', stream: streamId(0, 0), isOwn: true },
      likelier: 0,
    },
  ],
  [
    'of few bits',
    {
      write: (folder) => writeLowbitBundle(folder, 'tiny', { ...tinyParallel, context: 256, tied: false }),
      // Rows are normalised: two columns of 32 come to four deviations, and one to more.
      extremes: { largest: (i) => (i < 2 ? sign(i) : 0), outOfRange: (i) => (i === 0 ? 1 : 0) },
      input: { op: 'openToServer', stream: weightMaskStream(0), isOwn: false },
      likelier: 27,
    },
  ],
]

describe.each(profiles)('with a model %s', (_, profile) => {
  let folder: string
  let bundle: Bundle
  let plans: ModelPlans
  /** All inputs and a conversation; then, under the same key, the first input in place of the second, too. */
  let first: { captures: Captures; replies: number[][][] }
  let second: { captures: Captures; replies: number[][][] }
  /** Sessions of owners that are broken. */
  let leaking: WireSession[]
  let stuck: WireSession[]

  async function converse(use: (processes: TestProcesses) => Promise<void>): Promise<void> {
    const processes = await startTestProcesses(folder, SEED)
    try {
      await use(processes)
    } finally {
      await processes.stop()
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-'))
    const models = join(folder, 'models')
    bundle = await writeExtremeBundle(models, await profile.write(models), profile.extremes)
    plans = modelPlans(bundle.manifest)
    await converse(async ({ owner, wires }) => {
      const replies = await owner({ sessions: [...sessions, conversation] })
      first = { captures: captures(wires), replies }
    })
    await converse(async ({ owner, wires }) => {
      const leak = { ...a, leak: profile.input.stream }
      const replies = await owner({ sessions: [a, a, leak] })
      second = { captures: captures(wires), replies }
      if (profile.input.isOwn) await owner({ sessions: [a, b] }, { SOTTO_TEST_STUCK: '32' })
      const { sessions: noted } = captures(wires)
      leaking = noted.slice(2, 3)
      stuck = noted.slice(3)
    })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('two runs under one key are the same, byte for byte', () => {
    const [a, b] = [first, second].map(({ captures: { sessions } }) => sessions[0])
    expect(digests(b)).toEqual(digests(a))
    expect(second.replies[0]).toEqual(first.replies[0])
    expect(second.captures.weights.map(digest)).toEqual(first.captures.weights.map(digest))
  })

  test('whatever the owner asks, the dealer hears and says the same, byte for byte', () => {
    const [a, b] = [first, second].map(({ captures: { sessions } }) => sessions[1])
    expect(second.replies[1]).not.toEqual(first.replies[1])
    const { wire, ...others } = digests(b)
    const { wire: before, ...same } = digests(a)
    expect(wire).not.toEqual(before)
    expect(others).toEqual(same)
    // The server learns lengths alone.
    expect(b.wire.map(({ from, bytes }) => [from, bytes.length])).toEqual(
      a.wire.map(({ from, bytes }) => [from, bytes.length]),
    )
  })

  test('the owner tells the dealer nothing but key agreement, pass requests and a farewell', () => {
    for (const one of first.captures.sessions) {
      const [agreement, ...rest] = one.requests
      const farewell = rest.pop()!
      expect(Object.keys(JSON.parse(agreement.body.toString())).sort()).toEqual([
        'modelHash',
        'ownerEphemeral',
        'planHash',
        'profile',
        'protocolVersion',
        'serverIdentity',
      ])
      expect(new Set(rest.map(({ line, body }) => `${line} ${body.length}`))).toEqual(
        new Set([`POST /session/${one.id}/pass HTTP/1.1 52`]),
      )
      expect(farewell.line).toBe(`POST /session/${one.id}/close HTTP/1.1`)
      expect(farewell.body.length).toBe(41)
      // Rows are those that the server is told of, too; no request but those of passes that took place.
      expect(shapes(one)).toEqual(announced(one))
      for (const { headers } of one.requests)
        for (const name of headers)
          expect(['cookie', 'authorization', 'referer', 'origin']).not.toContain(name)
    }
    const lines = first.captures.sessions.reduce((sum, { requests }) => sum + requests.length, 0)
    expect(first.captures.requests).toBe(lines)
  })

  test('what introduces a session to the server names the session, its model and its plan', () => {
    for (const { greetings } of first.captures.sessions) {
      expect(Object.keys(greetings.owner).sort()).toEqual([
        'modelHash',
        'planHash',
        'protocolVersion',
        'sessionId',
        't',
        'transcript',
      ])
      expect(greetings.server.t).toBe('welcome')
    }
  })

  test('all opened values, their halves, what was dealt and the masked weights are uniform', () => {
    const wires = kindsOf(plans, first.captures.sessions)
    // Pieces of passes that nobody ran are in what a conversation was dealt.
    const dealt = dealtKinds(plans, { ...first.captures, sessions: first.captures.sessions.slice(0, -1) })
    expect(complaints(wires, dealt)).toEqual([])
    const tested = new Set(wires.tested.map(([name]) => name))
    // Every step that is ever on a wire was tested, from each of its senders and in public, in every plan.
    for (const [kind] of sentKinds(plans, first.captures.sessions[0]))
      expect(tested.has(`${kind} top`), kind).toBe(true)
    expect(dealt.tested.length).toBeGreaterThan(100)
  })

  describe('each input by itself', () => {
    test.each(Object.keys(inputs).map((name, i) => [name, i] as const))('%s', (_, i) => {
      const kinds = kindsOf(plans, [first.captures.sessions[i]])
      expect(kinds.tested.length).toBeGreaterThan(100)
      expect(complaints(kinds)).toEqual([])
    })
  })

  test('a conversation goes on where it was, turn after turn, and says what the model says', () => {
    const at = sessions.length
    const turns = first.replies[at]
    // Where each reply begins, and how many rows were read before it.
    const read = [...announced(first.captures.sessions[at]).values()]
    const prompts = read.filter(({ rows }) => rows > 1)
    expect(prompts.map(({ base }) => base > 0)).toEqual([false, true, true])
    // Every position is read once, the last word of each reply with the turn behind it.
    let position = 0
    for (const { base, rows } of read) {
      expect(base).toBe(position)
      position += rows
    }
    expect(turns.map((ids) => ids.length)).toEqual([REPLY, REPLY, REPLY])
    const { config } = bundle.manifest
    const ranks: number[] = []
    const float = floatModel(config, bundle.tensors)
    const { vocab } = (bundle.tokenizer as { model: { vocab: Record<string, number> } }).model
    // As both bundles mark turns.
    const [bos, user, assistant, end] = [0, 1, 2, 3]
    let next = [bos]
    for (const [i, ids] of turns.entries()) {
      const words = [...conversation.questions[i]].map((letter) => vocab[letter])
      next.push(user, ...words, end, assistant)
      for (const id of ids) {
        const logits = float.forward(next)
        ranks.push(logits.filter((v) => v > logits[id]).length)
        next = [id]
      }
      next.push(end)
    }
    expect(float.position).toBe(position)
    expect(ranks.reduce((a, b) => a + b) / ranks.length).toBeLessThanOrEqual(profile.likelier)
  })

  describe('a broken owner', () => {
    test('that sends its input unmasked is found out', () => {
      // Where nobody else knows of the mask, all goes well.
      if (profile.input.isOwn) expect(second.replies[2]).toEqual(first.replies[0])
      const found = complaints(kindsOf(plans, leaking))
      expect(found).not.toEqual([])
      for (const name of found) expect(name).toMatch(new RegExp(` ${profile.input.op} .* owner `))
    })

    // Where the dealer has a part in all masks of the owner, its own generator alone ruins none.
    if (profile.input.isOwn)
      test('whose generator sticks is found out by its second session', () => {
        for (const one of stuck) expect(complaints(kindsOf(plans, [one]))).toEqual([])
        const found = complaints(kindsOf(plans, stuck))
        expect(found).not.toEqual([])
        for (const name of found) expect(name).toMatch(/^between sessions .*input .* owner /)
      })
  })
})
