/**
 * Passes whose owner keystreams are worked out backwards: for a second input, the masks and correlations under which the
 * server sees exactly what it saw of the first.
 */
import type { Kernels, Matrix } from '../../../src/kernels/kernels.ts'
import { widened } from '../../../src/kernels/lanes.ts'
import { createWasmKernels } from '../../../src/kernels/wasm/kernels.ts'
import { RowCache } from '../../../src/protections/shared/cache.ts'
import { maskLanes, slotLanes } from '../../../src/protections/shared/correlations/keystreams.ts'
import { PackedCorrections } from '../../../src/protections/shared/correlations/packed.ts'
import { joined } from '../../../src/protections/shared/correlations/rope.ts'
import { SeededCorrelations } from '../../../src/protections/shared/correlations/seeded.ts'
import type { Dealt, Slot } from '../../../src/protections/shared/dealt.ts'
import { exchange } from '../../../src/protections/shared/local/exchange.ts'
import { piecesOf, withPieces } from '../../../src/protections/shared/local/pieces.ts'
import type { Plan } from '../../../src/protections/shared/plan.ts'
import { Prg, streamId } from '../../../src/protections/shared/prg.ts'
import {
  add,
  exclusiveOr,
  type LaneBits,
  type Lanes,
  maskOf,
  sub,
} from '../../../src/protections/shared/ring.ts'
import { DealerPass } from '../../../src/protections/shared/runners/dealer.ts'
import { PartyPass } from '../../../src/protections/shared/runners/party.ts'
import type { Schedule } from '../../../src/protections/shared/schedule.ts'
import { count, type Shape } from '../../../src/protections/shared/shape.ts'
import type { Step } from '../../../src/protections/shared/step.ts'
import type { Masked, Opened, Role } from '../../../src/protections/shared/values.ts'
import { type HeldWeights, loadWeights } from '../../../src/protections/shared/weights/held.ts'
import { difference, privateWeights } from '../../../src/protections/shared/weights/stationary.ts'
import { splitSeeds } from './local-keys.ts'
import type { AnyTiny } from './models.ts'
import { ChosenKeystreams } from './prg.ts'

const wasm = createWasmKernels()
export const keys = [1, 2, 3, 4].map((tag) => new Uint8Array(32).fill(tag))
const [ownerKey, serverKey, secretKey, stationaryKey] = keys

/** The products with private weights, in the order of `privateWeights`. */
const privateSteps = (plan: Plan): Step[] => plan.steps.filter((s) => s.op === 'linearPrivate')

/** All that a pass put in front of the server, and the parties that ran it. */
export interface RunPass {
  readonly plan: Plan
  readonly shape: Shape
  readonly input: Lanes
  readonly messages: Uint8Array[]
  readonly corrections: Map<number, Uint8Array>
  readonly owner: PartyPass
  readonly server: PartyPass
}

/** One run of a conversation: three parties with caches of their own, over real or chosen owner keystreams. */
export class Run {
  readonly chosen = new ChosenKeystreams(wasm)
  /** Which rows of the next pass are padding. */
  padding?: Uint8Array
  readonly #model: AnyTiny
  readonly #held: Record<Role, HeldWeights>
  readonly #caches = { owner: new RowCache(64), server: new RowCache(64), dealer: new RowCache(64) }
  readonly #differences = new Map<string, Matrix>()
  readonly #masks = new Map<string, Matrix>()

  /** `cut` may choose the keystreams that the pieces of split weights come from. */
  constructor(model: AnyTiny, plan: Plan, cut = (kernels: Kernels): Kernels => kernels) {
    this.#model = model
    const { tensors } = model
    const clear = loadWeights(wasm, model.model.encode(tensors, ['public', 'private']))
    const known = loadWeights(wasm, model.model.encode(tensors, ['public']))
    const pieces = piecesOf(cut(wasm), plan, clear, splitSeeds())
    this.#held = { owner: withPieces(known, pieces.owner), server: withPieces(clear, pieces.server) }
    for (const [name, matrix] of pieces.dealer) this.#differences.set(name, matrix)
    for (const [i, { name, k, n, ring, ...use }] of privateWeights(plan).entries()) {
      const w = clear.weights.get(name)
      if (!w) throw new Error(name)
      const b = difference(wasm, stationaryKey, i, { name, k, n, ring, ...use }, w)
      const whole = wasm.read(w, 0, k)
      this.#differences.set(name, wasm.load(b, k, n))
      this.#masks.set(name, wasm.load(sub(whole, b, ring), k, n))
    }
  }

  get model(): AnyTiny {
    return this.#model
  }

  dealer(plan: Plan, shape: Shape): DealerPass {
    const kernels = this.chosen.kernels
    const [owner, server] = [new Prg(kernels, ownerKey), new Prg(kernels, serverKey)]
    return new DealerPass(plan, shape, {
      kernels,
      owner,
      server,
      differences: this.#differences,
      cache: this.#caches.dealer,
    })
  }

  owner(plan: Plan, s: Schedule, shape: Shape, input: Lanes, stationary: Map<string, Lanes>): PartyPass {
    const { kernels } = this.chosen
    const masks = new Prg(kernels, ownerKey)
    return new PartyPass(plan, s, shape, {
      role: 'owner',
      kernels,
      masks,
      correlations: new SeededCorrelations(masks, shape),
      cache: this.#caches.owner,
      ...this.#held.owner,
      secret: new Prg(kernels, secretKey),
      input,
      padding: this.padding,
      stationary,
    })
  }

  server(plan: Plan, s: Schedule, shape: Shape, correlations: PackedCorrections): PartyPass {
    const { kernels } = this.chosen
    return new PartyPass(plan, s, shape, {
      role: 'server',
      kernels,
      masks: new Prg(kernels, serverKey),
      correlations,
      cache: this.#caches.server,
      ...this.#held.server,
    })
  }

  /** The owner's product with the stationary mask, from whatever its keystreams now yield. */
  product(plan: Plan, shape: Shape, step: Step): [string, Lanes] {
    const { name, ring, k } = privateWeights(plan)[privateSteps(plan).indexOf(step)]
    const prg = new Prg(this.chosen.kernels, ownerKey)
    const a = maskLanes(prg, shape, step.needs.server[0] as Masked)
    const y = wasm.matmul(a, a.length / k, this.#masks.get(name) as Matrix, ring)
    return [name, add(y, slotLanes(prg, shape, step, step.slots[0]), ring)]
  }

  /** Runs all three parties. */
  pass(plan: Plan, s: Schedule, shape: Shape, input: Lanes): RunPass {
    const packed = new PackedCorrections(wasm, shape)
    const corrections = new Map<number, Uint8Array>()
    for (const { step, bytes } of this.dealer(plan, shape).deal()) {
      packed.put(step, bytes)
      corrections.set(step.id, bytes.slice())
    }
    const linear = privateSteps(plan)
    const owner = this.owner(plan, s, shape, input, new Map(linear.map((x) => this.product(plan, shape, x))))
    const server = this.server(plan, s, shape, packed)
    return { plan, shape, input, messages: exchange(s, { owner, server }), corrections, owner, server }
  }
}

/** Chooses in `run` the owner keystreams that make `input` look like the pass `seen`. `scratch` works them out. */
export function solve(run: Run, scratch: Run, s: Schedule, seen: RunPass, input: Lanes): void {
  const { plan, shape, server } = seen
  const kernels: Kernels = wasm
  const choose = (key: Uint8Array, read: (prg: Prg) => void, lanes: Lanes): void => {
    for (const r of [run, scratch]) r.chosen.choose(key, read, lanes)
  }
  const products = new Map<string, Lanes>()
  const dealer = scratch.dealer(plan, shape)
  const owner = scratch.owner(plan, s, shape, input, products)
  s.messages.forEach((m, i) => {
    if (m.from === 'server') owner.accept(i, seen.messages[i])
  })
  for (const step of plan.steps) {
    const { out } = step
    // A widened opening's mask is the opening's own.
    if (out.kind === 'opened' && step.op === 'open')
      choose(ownerKey, (prg) => maskLanes(prg, shape, out), openingMask(seen, step, out, owner))
    else if (out.kind === 'masked' && step.needs.owner[0]?.kind === 'share') {
      const sent = sub(widened(server.get(out)), widened(server.get(step.needs.owner[0])), out.ring)
      const mask = sub(widened(owner.get(step.needs.owner[0])), sent, out.ring)
      choose(ownerKey, (prg) => maskLanes(prg, shape, out), mask)
    } else if (step.isInput && step.wire) {
      const { width, ring } = out
      const read = (prg: Prg): void => {
        for (let r = 0; r < shape.rows; r++)
          prg.fill(streamId(step.id, 0), shape.serial + r, ring, new BigUint64Array(), r * width, width)
      }
      choose(secretKey, read, sub(input, widened(server.get(out)), ring))
    }
    const dealt = step.deal?.(dealer) ?? []
    let at = 0
    for (const [i, slot] of step.slots.entries()) {
      const truth = trueLanes(dealt[i], shape, slot)
      const size = Math.ceil((truth.length * slot.bits) / 8)
      const bytes = (seen.corrections.get(step.id) as Uint8Array).slice(at, at + size)
      at += size
      const corrections = kernels.unpack(bytes, slot.bits, truth.length)
      const lanes = slot.isBinary ? exclusiveOr(truth, corrections) : sub(truth, corrections, slot.bits)
      choose(ownerKey, (prg) => slotLanes(prg, shape, step, slot), lanes)
    }
    if (step.op === 'linearPrivate') products.set(...scratch.product(plan, shape, step))
    owner.runStep(step.id)
  }
}

/** A party's part of a mask under which its share looks like the one that was seen; the other party's part stays. */
function openingMask(seen: RunPass, step: Step, out: Opened<LaneBits>, party: PartyPass): Lanes {
  const [me, other] = party.role === 'owner' ? [seen.owner, seen.server] : [seen.server, seen.owner]
  const bits = out.ring
  const low = maskOf(bits)
  const D = widened(seen.server.get(out))
  const sent = wasm.unpack(step.half?.(me) as Uint8Array, bits, D.length)
  const offset = party.role === 'server' ? out.offset : 0n
  const share = widened(party.get(step.needs[party.role][0]))
  const theirs = other.mask(out)
  const old = add(me.mask(out), theirs, out.maskRing)
  const wide = maskOf(out.maskRing)
  const shift = BigInt(bits)
  return share.map((v, i) => {
    const own = BigInt.asUintN(64, v + offset - sent[i]) & low
    if (out.maskRing === bits) return own
    // High part + B top is what opening this value wider shows: it stays, whatever the new top bit is.
    const rho = BigInt.asUintN(64, -(own + theirs[i])) & low
    const before = BigInt.asUintN(64, -old[i]) & wide
    const top = (r: bigint): bigint => (r & low) >> (shift - 1n)
    const wrap = D[i] >> (shift - 1n) === 0n ? 1n : 0n
    const high = (before >> shift) + wrap * (top(before) - top(rho))
    const mask = BigInt.asUintN(64, -(rho + BigInt.asUintN(64, high << shift)))
    return BigInt.asUintN(64, mask - theirs[i]) & wide
  })
}

/**
 * Chooses in `run` the keystreams of the server's masks under which its model, which is another one, looks to the owner like
 * that of the pass `seen`. `scratch` works them out.
 */
export function solveServer(run: Run, scratch: Run, s: Schedule, seen: RunPass): void {
  const { plan, shape } = seen
  const packed = new PackedCorrections(wasm, shape)
  const dealer = scratch.dealer(plan, shape)
  const server = scratch.server(plan, s, shape, packed)
  s.messages.forEach((m, i) => {
    if (m.from === 'owner') server.accept(i, seen.messages[i])
  })
  for (const step of plan.steps) {
    const { out } = step
    // A widened opening's mask is the opening's own.
    if (out.kind === 'opened' && step.op === 'open') {
      const mask = openingMask(seen, step, out, server)
      for (const r of [run, scratch]) r.chosen.choose(serverKey, (prg) => maskLanes(prg, shape, out), mask)
    }
    const dealt = joined(Array.from(dealer.dealStep(step), (part) => part.slice()))
    if (step.slots.length > 0) packed.put(step, dealt)
    server.runStep(step.id)
  }
}

/** All true values of a slot, mod 2^64. */
function trueLanes(dealt: Dealt, shape: Shape, { layout, width, entries = 1, words = 1 }: Slot): Lanes {
  if (ArrayBuffer.isView(dealt)) return widened(dealt)
  const elements = count(shape, layout, width)
  const out = new BigUint64Array(elements * entries * words)
  if ('fill' in dealt) dealt.fill(0, elements, out)
  else {
    out.fill(BigInt(dealt.rest))
    dealt.places.forEach((place, i) => {
      out[i * entries * words + place] = BigInt(dealt.single)
    })
  }
  return out
}
