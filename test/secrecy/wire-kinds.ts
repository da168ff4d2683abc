/** What crossed the wires of sessions, by kinds of values that have to be uniform. */
import { createHash } from 'node:crypto'
import { createWasmKernels } from '../../src/kernels/wasm/kernels.ts'
import { sub } from '../../src/protections/shared/ring.ts'
import type { ModelPlans } from '../../src/protections/shared/session/model-plan.ts'
import type { Shape } from '../../src/protections/shared/shape.ts'
import { type Captured, capturedDealing, capturedMessages } from '../support/protocol/capture.ts'
import { Kinds, nameOf } from '../support/protocol/kinds.ts'
import { type Captures, shapes, type WireSession } from './sessions.ts'

/** How unlikely truly uniform wires have to be, all tests of a run together, before it fails. */
const FAMILY = 1e-6
/** Words of each slot that are looked at: tables have many. */
const DEALT = 4096

const kernels = createWasmKernels()

/** Prompts and tokens run different plans. */
const planOf = (shape: Shape | undefined): string => ((shape?.rows ?? 0) > 1 ? 'prompt' : 'token')

/** Plans of longer conversations have other steps of the same names, in other rings. */
const kindOf = (c: Captured): string => `${c.bits} bits ${nameOf(c)}`

/** Every value that was sent in a session, and its kind. */
export function* sentKinds(plans: ModelPlans, session: WireSession): Generator<[string, Captured]> {
  const asked = shapes(session)
  for (const c of capturedMessages({ plans, wire: session.wire }))
    yield [`${planOf(asked.get(c.pass))} ${kindOf(c)}`, c]
}

/** Everything that crossed the wires of these sessions. */
export function kindsOf(plans: ModelPlans, sessions: readonly WireSession[]): Kinds {
  const kinds = new Kinds()
  let before: Map<string, Captured> | undefined
  for (const one of sessions) {
    const known = new Map<string, Captured>()
    for (const [kind, c] of sentKinds(plans, one)) {
      kinds.add(kind, c.bits, c.lanes)
      const name = `${c.pass} ${kindOf(c)}`
      known.set(name, c)
      // Were masks used in two sessions, this difference would be one of inputs. A reply that ends earlier has passes of
      // other shapes behind it.
      const other = before?.get(name)
      if (other?.lanes.length === c.lanes.length)
        kinds.add(`between sessions ${kindOf(c)}`, c.bits, sub(c.lanes, other.lanes, c.bits))
    }
    before = known
  }
  return kinds
}

/** What the dealer streamed in these sessions, and the masked weights that it was sent. */
export function dealtKinds(plans: ModelPlans, { sessions, weights }: Captures): Kinds {
  const kinds = new Kinds()
  for (const one of sessions)
    for (const [pass, shape] of shapes(one)) {
      // A question and its first token: material is plentiful.
      if (pass > 2) continue
      for (const c of capturedDealing(plans, pass, shape, one.dealt.get(pass)!)) {
        const name = `${planOf(shape)} ${kindOf(c)}`
        kinds.add(name, c.bits, c.lanes.subarray(0, DEALT))
      }
    }
  for (const [i, { name, ring, k, n }] of plans.privateWeights().entries())
    kinds.add(`weights ${name}`, ring, kernels.unpack(new Uint8Array(weights[i]), ring, k * n))
  return kinds
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Of every message, with what surrounds it; but for how slow the server says that it is, which a busy machine chooses. */
export function digests({ wire, requests, dealt, greetings, ...rest }: WireSession) {
  return {
    ...rest,
    greetings: { ...greetings, server: { ...greetings.server, delay: '' } },
    wire: wire.map(({ from, bytes }) => `${from} ${digest(bytes)}`),
    requests: requests.map(({ line, headers, body }) => `${line} ${headers} ${digest(body)}`),
    dealt: [...dealt].map(([pass, stream]) => `${pass} ${stream.length} ${digest(stream)}`),
  }
}

/** Kinds that are too uneven to be chance, all families together. */
export const complaints = (...families: Kinds[]): string[] => {
  const tests = families.reduce((sum, { tested }) => sum + tested.length, 0)
  return families.flatMap((kinds) => kinds.suspects((FAMILY * kinds.tested.length) / tests).uneven)
}
