/** Every lane that a session put on a wire, by the step that it belongs to. */
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import { slotBytes } from '../../../src/protections/shared/dealt.ts'
import { add, type Lanes } from '../../../src/protections/shared/ring.ts'
import { rowChunksOf } from '../../../src/protections/shared/row-chunks.ts'
import { HEAD_BYTES } from '../../../src/protections/shared/session/material-stream.ts'
import type { ModelPlans } from '../../../src/protections/shared/session/model-plan.ts'
import { decodePass, decodeRequest } from '../../../src/protections/shared/session/pass-messages.ts'
import { count, type Shape } from '../../../src/protections/shared/shape.ts'
import { type Step, wireBytes } from '../../../src/protections/shared/step.ts'
import type { Role } from '../../../src/protections/shared/values.ts'
import type { Seen, WatchedSession } from './session.ts'

const kernels = createWasmKernels()

/** Lanes of one kind; `who` sent them, or `public` for what an opening shows to both. */
export interface Captured {
  readonly pass: number
  readonly rowChunk: number
  readonly step: Step
  readonly who: Role | 'public' | 'dealer'
  /** Slot of the step, where the dealer sent it. */
  readonly slot?: string
  readonly bits: number
  readonly lanes: Lanes
}

/** What owner and server sent each other, each in order, and what became public between them. */
export function capturedMessages(session: { plans: ModelPlans; wire: readonly Seen[] }): Captured[] {
  const out: Captured[] = []
  const shapes = new Map<number, Shape>()
  /** What one side has sent of an opening, by pass, row chunk and step. */
  const halves = new Map<string, Lanes>()
  for (const { from, bytes } of session.wire) {
    const message = decodePass(bytes)
    if (message.kind === 'abandon' || message.kind === 'audit' || message.kind === 'verdict') continue
    if (message.kind === 'more') throw new RangeError('passes that begin in parts are not captured')
    if (message.kind === 'begin') shapes.set(message.pass, session.plans.shapeOf(message.shape))
    const shape = shapes.get(message.pass)
    if (!shape) throw new RangeError(`pass ${message.pass} was never begun`)
    const { messages } = session.plans.of(shape).schedule
    const { pass } = message
    const rowChunks = rowChunksOf(shape)
    let at = 0
    // What is sent ahead is all row chunks' together.
    for (const rowChunk of message.kind === 'begin' ? rowChunks.keys() : [message.rowChunk])
      for (const step of messages[message.kind === 'begin' ? 0 : message.index].steps) {
        const { wire } = step
        if (!wire) continue
        const { bits } = wire
        const size = wireBytes(rowChunks[rowChunk], wire)
        const part = message.payload.slice(at, at + size)
        at += size
        const lanes = kernels.unpack(part, bits, count(rowChunks[rowChunk], wire.layout, wire.width))
        const name = `${pass} ${rowChunk} ${step.id}`
        const half = halves.get(name)
        if (!half) halves.set(name, lanes)
        out.push({ pass, rowChunk, step, who: from, bits, lanes })
        if (half) out.push({ pass, rowChunk, step, who: 'public', bits, lanes: add(half, lanes, bits) })
      }
    if (at !== message.payload.length) throw new RangeError('a message has more bytes than its steps')
  }
  return out
}

/** What the dealer streamed to the server. */
export function capturedMaterial({ plans, requests, dealt }: WatchedSession): Captured[] {
  return requests.flatMap((request, i) =>
    capturedDealing(plans, i + 1, plans.shapeOf(decodeRequest(request)), Buffer.concat(dealt[i])),
  )
}

/** What the dealer streamed for one pass, slot by slot. */
export function capturedDealing(
  plans: ModelPlans,
  pass: number,
  shape: Shape,
  stream: Uint8Array,
): Captured[] {
  const out: Captured[] = []
  let at = HEAD_BYTES
  for (const step of plans.of(shape).plan.steps)
    for (const [rowChunk, rows] of rowChunksOf(shape).entries())
      for (const slot of step.slots) {
        const { bits, layout, width, entries = 1, words = 1, name } = slot
        const size = slotBytes(rows, slot)
        const bytes = new Uint8Array(stream.subarray(at, at + size))
        at += size
        const lanes = kernels.unpack(bytes, bits, count(rows, layout, width) * entries * words)
        out.push({ pass, rowChunk, step, who: 'dealer', slot: name, bits, lanes })
      }
  if (at !== stream.length) throw new RangeError('the dealer sent other bytes than the plan declares')
  return out
}
