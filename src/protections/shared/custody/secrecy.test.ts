/**
 * What one party holds of a split model, and what it sees of a session, says nothing of the weights beyond the listed
 * public metadata: for two sets of weights with equal metadata the keystreams that a party lacks can always be such that
 * it holds and sees the same, byte for byte.
 */
import { describe, expect, it } from 'vitest'
import { Run, solve } from '../../../../test/support/protocol/equivocation.ts'
import { splitSeeds } from '../../../../test/support/protocol/local-keys.ts'
import { type TinyModel, tinyGpt2, tinyLlama } from '../../../../test/support/protocol/models.ts'
import { ChosenKeystreams } from '../../../../test/support/protocol/prg.ts'
import { Histogram } from '../../../../test/support/protocol/statistics.ts'
import { twins } from '../../../../test/support/protocol/twins.ts'
import type { Kernels } from '../../../kernels/kernels.ts'
import { createWasmKernels } from '../../../kernels/wasm/kernels.ts'
import { RowCache } from '../cache.ts'
import type { Plan } from '../plan.ts'
import { deriveKey, Prg } from '../prg.ts'
import { compileModel } from '../profiles/fixed/compile.ts'
import { add, encode, type Lanes, sub } from '../ring.ts'
import { OraclePass } from '../runners/oracle.ts'
import { schedule } from '../schedule.ts'
import type { Masked, Opened, Share } from '../values.ts'
import { type HeldWeights, loadWeights } from '../weights/held.ts'
import { betaPieces, splitWeights } from '../weights/split.ts'

const kernels = createWasmKernels()
const seeds = splitSeeds()

const clearOf = ({ model, tensors }: TinyModel): HeldWeights =>
  loadWeights(kernels, model.encode(tensors, ['public', 'private']))

/** What one of the seeds yields, piece by piece, in the order of beta's pieces. */
function keystreamPieces(
  plan: Plan,
  seed: Uint8Array,
  read = new Prg(kernels, deriveKey(kernels, seed, 'split')),
) {
  const out: { lanes: Lanes; read: (prg: Prg) => void; bits: number }[] = []
  const piece = (stream: number, serial: number, bits: number, n: number): void => {
    const from = (prg: Prg, lanes = new BigUint64Array(n)) => {
      prg.fill(stream, serial, bits, lanes, 0, n, 8)
      return lanes
    }
    out.push({ lanes: from(read), read: (prg) => void from(prg), bits })
  }
  for (const { index, ring, k, n } of splitWeights(plan)) piece(index, 0, ring, k * n)
  for (const [i, { n }] of plan.splitBiases.entries()) piece(i, 1, 64, n)
  return out
}

/** Kernels under which `seed` yields what makes the beta of `first` also that of `second`. */
function equivocal(
  plan: Plan,
  [first, second]: readonly TinyModel[],
  seed: Uint8Array,
  base: Kernels = kernels,
): Kernels {
  const chosen = new ChosenKeystreams(base)
  const [own, other] = [first, second].map((m) => [...betaPieces(kernels, plan, seeds, clearOf(m))])
  keystreamPieces(plan, seed).forEach(({ lanes, read, bits }, i) => {
    // beta = W - F - G: F has to grow by what W grows by.
    const more = sub(other[i].beta, own[i].beta, bits)
    chosen.choose(deriveKey(kernels, seed, 'split'), read, add(lanes, more, bits))
  })
  return chosen.kernels
}

describe.each([
  ['llama', { ...tinyLlama, layers: 1 }],
  ['gpt2', { ...tinyGpt2, layers: 1 }],
] as const)('%s', (_, config) => {
  const [first, second] = twins(config, 'split')
  const plan = compileModel(first.spec, 3)

  it('the twins have the same plan, and other weights', () => {
    expect(splitWeights(compileModel(second.spec, 3))).toEqual(splitWeights(plan))
    const [of, other] = [first, second].map(({ model, tensors }) => [...model.encode(tensors, ['private'])])
    expect(other.map(({ data }) => data)).not.toEqual(of.map(({ data }) => data))
  })

  it.each([
    ['the server, which has beta and G', seeds.f],
    ['the dealer, which has beta and F', seeds.g],
  ])('%s, may hold the same bytes of either', (_who, lacking) => {
    const chosen = equivocal(plan, [first, second], lacking)
    const held = [...betaPieces(kernels, plan, seeds, clearOf(first))]
    expect([...betaPieces(chosen, plan, seeds, clearOf(second))]).toEqual(held)
    // Under the same keystreams they would tell the weights apart.
    expect([...betaPieces(kernels, plan, seeds, clearOf(second))]).not.toEqual(held)
  })

  it('the server may see the same sessions of either, and the owner still gets the right answers', () => {
    const s = schedule(plan)
    const cut = (base: Kernels): Kernels => equivocal(plan, [first, second], seeds.f, base)
    const [seen, other, scratch] = [
      new Run(first, plan),
      new Run(second, plan, cut),
      new Run(second, plan, cut),
    ]
    const { weights, biases } = clearOf(second)
    const cache = new RowCache(64)
    const { ring, scale } = first.model.input
    for (const shape of [
      { base: 0, rows: 3, serial: 0 },
      { base: 3, rows: 1, serial: 9 },
    ]) {
      const real = first.ends.embed([1, 2, 3].slice(0, shape.rows), shape.base)
      const input = encode(real, ring, scale.bits)
      const a = seen.pass(plan, s, shape, input)
      solve(other, scratch, s, a, input)
      const b = other.pass(plan, s, shape, input)
      expect(b.messages).toEqual(a.messages)
      expect([...b.corrections]).toEqual([...a.corrections])
      for (const { id } of plan.steps) expect(b.server.result(id)).toEqual(a.server.result(id))
      const dealer = other.dealer(plan, shape)
      const ownerShare = (value: Share): Lanes => b.owner.get(value)
      const mask = (value: Opened): Lanes => dealer.mask(value)
      const serverMask = (value: Masked): Lanes => dealer.serverMask(value)
      const held = { kernels, weights, biases, cache, input }
      const plain = new OraclePass(plan, shape, { ...held, ownerShare, mask, serverMask })
      const last = plan.steps.length - 1
      expect(b.owner.result(last)).toEqual(plain.run())
      expect(plain.violations).toEqual([])
      expect(b.owner.result(last)).not.toEqual(a.owner.result(last))
    }
  })

  it('pieces are uniform, whatever the weights', () => {
    const zeros = new Map([...first.tensors].map(([name, t]) => [name, { ...t, data: t.data.map(() => 0) }]))
    const END = 4
    const uneven: string[] = []
    let tested = 0
    for (const model of [first, second, { ...first, tensors: zeros }]) {
      const counts = new Map<string, Histogram>()
      const count = (name: string, bits: number, lanes: Lanes): void => {
        for (const [end, shift] of [
          ['low', 0n],
          ['top', BigInt(bits - END)],
        ] as const) {
          const histogram = counts.get(`${name} ${end}`) ?? new Histogram(END)
          counts.set(`${name} ${end}`, histogram)
          for (const lane of lanes) histogram.add(Number((lane >> shift) & 15n))
        }
      }
      const clear = clearOf(model)
      for (let n = 0; n < 4; n++) {
        const own = splitSeeds(n)
        const [f, g] = [own.f, own.g].map((seed) => keystreamPieces(plan, seed))
        ;[...betaPieces(kernels, plan, own, clear)].forEach(({ name, bits, beta }, i) => {
          count(`${name} beta`, bits, beta)
          count(`${name} B, at the server`, bits, add(beta, g[i].lanes, bits))
          count(`${name} W - G, at the dealer`, bits, add(beta, f[i].lanes, bits))
          count(`${name} F + G, at the owner`, bits, add(f[i].lanes, g[i].lanes, bits))
        })
      }
      for (const [name, histogram] of counts) {
        tested++
        if (histogram.p < 1e-6) uneven.push(`${name}: ${histogram.p}`)
      }
    }
    expect(tested).toBeGreaterThan(80)
    expect(uneven).toEqual([])
  })
})
