import { expect, test } from 'vitest'
import { exactRuntime, missingRuntime, saturatingRuntime } from '../../../test/support/kernels/runtimes.ts'
import { KernelError } from '../error.ts'
import { chooseProducts, measuredChoice, productChoices } from './choice.ts'
import { checkProduct, onnxRuntime, productKinds } from './products.ts'
import type { Trial } from './trial.ts'

const multiplied = async (runtime: typeof exactRuntime, kind: (typeof productKinds)[number]) =>
  checkProduct(kind, (await runtime(kind, 1)).multiply)

test('a processor that saturates pairs of products is refused for bytes by bytes, and for nothing else', async () => {
  for (const kind of productKinds) {
    await expect(multiplied(exactRuntime, kind)).resolves.toBeUndefined()
    const there = multiplied(saturatingRuntime, kind)
    if (kind === 'u8s8') await expect(there).rejects.toThrow(KernelError)
    else await expect(there).resolves.toBeUndefined()
  }
})

test('7-bit digits and float64 are exact on this machine, whatever it is', async () => {
  for (const kind of ['u7s8', 'float64'] as const)
    await expect(multiplied(onnxRuntime, kind)).resolves.toBeUndefined()
})

/** Times that do not depend on the machine. */
const trial = (ms: Record<string, number>): Trial => ({
  digits: async (kind) => ms[kind],
  wasm: () => ms.wasm,
})
const usual = { u8s8: 1, u7s8: 1.5, s8s8: 9, float64: 2, wasm: 20 }

test('the fastest of those that are exact is chosen, and the reason names the others', async () => {
  const here = await measuredChoice({ runtime: exactRuntime }, trial(usual), 'x64')
  expect(here.kind).toBe('u8s8')
  const there = await measuredChoice({ runtime: saturatingRuntime }, trial(usual), 'x64')
  expect(there.kind).toBe('u7s8')
  expect(there.reason).toBe(
    'fastest of the exact, in processor time: u7s8 1.5 ms, float64 2.0 ms, wasm 20.0 ms, u8s8 inexact',
  )
  const arm = await measuredChoice({ runtime: exactRuntime }, trial({ ...usual, s8s8: 0.5 }), 'arm64')
  expect(arm.kind).toBe('s8s8')
  const slow = await measuredChoice({ runtime: saturatingRuntime }, trial({ ...usual, wasm: 0.2 }), 'x64')
  expect([slow.kind, slow.multiply]).toEqual(['wasm', undefined])
})

test('WebAssembly, which has one core, must be faster by half; another kind by less', async () => {
  const chosen = async (ms: Partial<typeof usual>) =>
    (await measuredChoice({ runtime: saturatingRuntime }, trial({ ...usual, ...ms }), 'x64')).kind
  expect(await chosen({ wasm: 1.2 })).toBe('u7s8')
  expect(await chosen({ wasm: 0.9 })).toBe('wasm')
  expect(await chosen({ float64: 1.2 })).toBe('float64')
  expect(await chosen({ float64: 1.4 })).toBe('u7s8')
})

test('a first turn that takes long, as first turns do, puts nobody out', async () => {
  let turns = 0
  const warming: Trial = { ...trial(usual), digits: async (kind) => (turns++ === 0 ? 100 : usual[kind]) }
  expect((await measuredChoice({ runtime: exactRuntime }, warming, 'x64')).kind).toBe('u8s8')
})

test('without a runtime WebAssembly multiplies', async () => {
  const choice = await measuredChoice({ runtime: missingRuntime }, trial(usual))
  expect([choice.kind, choice.multiply]).toEqual(['wasm', undefined])
  expect(choice.reason).toMatch(/u8s8 missing, .*float64 missing/)
})

test('a machine is asked once, and times all kinds that it has', async () => {
  const choice = chooseProducts()
  expect(chooseProducts({})).toBe(choice)
  expect((await choice).reason).toMatch(/u[78]s8 [\d.]+ ms.*float64 [\d.]+ ms.*wasm [\d.]+ ms/)
})

test('what is insisted on is taken, or refused with a reason', async () => {
  for (const products of productChoices)
    expect((await chooseProducts({ products, runtime: exactRuntime })).kind).toBe(products)
  const inexact = chooseProducts({ products: 'u8s8', runtime: saturatingRuntime })
  await expect(inexact).rejects.toThrow(/u8s8 products are not exact/)
  const missing = chooseProducts({ products: 'u7s8', runtime: missingRuntime })
  await expect(missing).rejects.toThrow(KernelError)
  await expect(missing).rejects.toThrow(/there is none/)
})
