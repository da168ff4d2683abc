/**
 * Secrecy on the wires of the three real processes under a fixed key: whatever the input, all that crosses them is
 * uniform, and nothing that reaches the dealer depends on it.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import type { Bundle } from '../../src/model/files/bundle-node.ts'
import { type ModelPlans, modelPlans } from '../../src/protections/shared/session/model-plan.ts'
import type { Shape } from '../../src/protections/shared/shape.ts'
import { type Captured, capturedDealing, capturedMessages } from '../support/protocol/capture.ts'
import { Kinds, nameOf } from '../support/protocol/kinds.ts'
import { extremes, writeExtremeBundle } from './extreme-bundle.ts'
import { startTestProcesses, type TestProcesses } from './processes.ts'
import { announced, type Captures, captures, shapes, type WireSession } from './sessions.ts'

/** How unlikely truly uniform wires have to be, all tests of a run together, before it fails. */
const FAMILY = 1e-6
const SEED = 'a fixed key'
const TOKENS = 3
/** Words of each slot that are looked at: tables have many. */
const DEALT = 4096
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
const sessions = Object.values(inputs).map((text, i) =>
  LETTERS.map((letter) => (i % 2 ? text + letter : letter + text)),
)

const kernels = createWasmKernels()
let folder: string
let bundle: Bundle
let plans: ModelPlans
/** All inputs; then, under the same key, the first of them in place of the second, too. */
let first: { captures: Captures; replies: number[][][] }
let second: { captures: Captures; replies: number[][][] }
/** Sessions of owners that are broken. */
let leaking: WireSession[]
let leakingReplies: number[][]
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
  bundle = await writeExtremeBundle(join(folder, 'models'))
  plans = modelPlans(bundle.manifest)
  await converse(async ({ owner, wires }) => {
    const replies = await owner({ sessions, maxTokens: TOKENS })
    first = { captures: captures(wires), replies }
  })
  await converse(async ({ owner, wires }) => {
    const [a, b] = sessions
    const replies = await owner({ sessions: [a, a], maxTokens: TOKENS })
    second = { captures: captures(wires), replies }
    leakingReplies = (await owner({ sessions: [a], maxTokens: TOKENS, leak: true }))[0]
    await owner({ sessions: [a, b], maxTokens: TOKENS }, { SOTTO_TEST_STUCK: '32' })
    const { sessions: noted } = captures(wires)
    leaking = noted.slice(2, 3)
    stuck = noted.slice(3)
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Prompts and tokens run different plans. */
const planOf = (shape: Shape | undefined): string => ((shape?.rows ?? 0) > 1 ? 'prompt' : 'token')

/** Everything that crossed the wires of these sessions. */
function kindsOf(sessions: readonly WireSession[]): Kinds {
  const kinds = new Kinds()
  const add = (family: string, c: Captured, lanes: Iterable<bigint>): void => {
    const name = `${family} ${nameOf(c)}`
    for (const lane of lanes) kinds.add(name, c.bits, lane)
  }
  let before: Map<string, Captured> | undefined
  for (const one of sessions) {
    const asked = shapes(one)
    const known = new Map<string, Captured>()
    for (const c of capturedMessages({ plans, wire: one.wire })) {
      add(planOf(asked.get(c.pass)), c, c.lanes)
      const name = `${c.pass} ${nameOf(c)}`
      known.set(name, c)
      // Were masks used in two sessions, this difference would be one of inputs. A reply that ends earlier has passes of
      // other shapes behind it.
      const other = before?.get(name)
      if (other?.lanes.length === c.lanes.length)
        add(
          'between sessions',
          c,
          c.lanes.map((lane, i) => BigInt.asUintN(c.bits, lane - other.lanes[i])),
        )
    }
    before = known
  }
  return kinds
}

/** What the dealer streamed in these sessions, and the masked weights that it was sent. */
function dealtKinds({ sessions, weights }: Captures): Kinds {
  const kinds = new Kinds()
  for (const one of sessions)
    for (const [pass, shape] of shapes(one)) {
      // A question and its first token: material is plentiful.
      if (pass > 2) continue
      for (const c of capturedDealing(plans, pass, shape, one.dealt.get(pass)!)) {
        const name = `${planOf(shape)} ${nameOf(c)}`
        for (const lane of c.lanes.subarray(0, DEALT)) kinds.add(name, c.bits, lane)
      }
    }
  for (const [i, { name, ring, k, n }] of plans.privateWeights().entries())
    for (const lane of kernels.unpack(new Uint8Array(weights[i]), ring, k * n))
      kinds.add(`weights ${name}`, ring, lane)
  return kinds
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Of every message, with what surrounds it; but for how slow the server says that it is, which a busy machine chooses. */
function digests({ wire, requests, dealt, greetings, ...rest }: WireSession) {
  return {
    ...rest,
    greetings: { ...greetings, server: { ...greetings.server, delay: '' } },
    wire: wire.map(({ from, bytes }) => `${from} ${digest(bytes)}`),
    requests: requests.map(({ line, headers, body }) => `${line} ${headers} ${digest(body)}`),
    dealt: [...dealt].map(([pass, stream]) => `${pass} ${stream.length} ${digest(stream)}`),
  }
}

const complaints = (...families: Kinds[]): string[] => {
  const tests = families.reduce((sum, { tested }) => sum + tested.length, 0)
  return families.flatMap((kinds) => kinds.suspects((FAMILY * kinds.tested.length) / tests).uneven)
}

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
      for (const name of headers) expect(['cookie', 'authorization', 'referer', 'origin']).not.toContain(name)
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
  const wires = kindsOf(first.captures.sessions)
  const dealt = dealtKinds(first.captures)
  expect(complaints(wires, dealt)).toEqual([])
  const tested = new Set(wires.tested.map(([name]) => name))
  // Every step that is ever on a wire was tested, from each of its senders and in public, in every plan.
  const [one] = first.captures.sessions
  const asked = shapes(one)
  for (const c of capturedMessages({ plans, wire: one.wire }))
    expect(tested.has(`${planOf(asked.get(c.pass))} ${nameOf(c)} top`)).toBe(true)
  expect(dealt.tested.length).toBeGreaterThan(100)
})

describe('each input by itself', () => {
  test.each(Object.keys(inputs).map((name, i) => [name, i] as const))('%s', (_, i) => {
    const kinds = kindsOf([first.captures.sessions[i]])
    expect(kinds.tested.length).toBeGreaterThan(100)
    expect(complaints(kinds)).toEqual([])
  })
})

describe('a broken owner', () => {
  test('that sends its input unmasked answers rightly and is found out', () => {
    expect(leakingReplies).toEqual(first.replies[0])
    const found = complaints(kindsOf(leaking))
    expect(found).not.toEqual([])
    for (const name of found) expect(name).toMatch(/ input .* owner /)
  })

  test('whose generator sticks is found out by its second session', () => {
    for (const one of stuck) expect(complaints(kindsOf([one]))).toEqual([])
    const found = complaints(kindsOf(stuck))
    expect(found).not.toEqual([])
    for (const name of found) expect(name).toMatch(/^between sessions .*input .* owner /)
  })
})
