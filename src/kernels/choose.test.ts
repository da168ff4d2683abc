import { afterEach, expect, test, vi } from 'vitest'
import { chooseProductDevice } from './choose.ts'
import { KernelError } from './error.ts'

afterEach(() => vi.unstubAllGlobals())

function stubAdapter(adapter: unknown): void {
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } })
}

test('without WebGPU: WASM, and the reason says so', async () => {
  vi.stubGlobal('navigator', undefined)
  const { device, reason } = await chooseProductDevice()
  expect(device.name).toMatch(/wasm/)
  expect(reason).toMatch(/does not offer WebGPU/)
  await expect(chooseProductDevice({ force: 'webgpu' })).rejects.toThrow(KernelError)
})

test('without an adapter: WASM', async () => {
  stubAdapter(null)
  expect((await chooseProductDevice()).reason).toMatch(/No usable GPU/)
  await expect(chooseProductDevice({ force: 'webgpu' })).rejects.toThrow(/No usable GPU/)
})

test('a software adapter by either spelling is passed over', async () => {
  for (const adapter of [{ info: { isFallbackAdapter: true } }, { isFallbackAdapter: true }]) {
    stubAdapter(adapter)
    expect((await chooseProductDevice()).reason).toMatch(/imitated in software/)
  }
})

test('an adapter that fails leads to WASM with the cause, unless forced', async () => {
  stubAdapter({ info: { vendor: 'acme' }, requestDevice: async () => Promise.reject(new Error('blocked')) })
  const { device, reason } = await chooseProductDevice()
  expect(device.name).toMatch(/wasm/)
  expect(reason).toMatch(/could not be used \(the GPU adapter refused a device\)/)
  await expect(chooseProductDevice({ force: 'webgpu' })).rejects.toThrow(/refused/)
})

const never = () => new Promise(() => undefined)

test.each([
  ['an adapter', { requestAdapter: never }],
  ['a device', { requestAdapter: async () => ({ info: {}, requestDevice: never }) }],
])('a GPU that never gives %s gives way to WASM', async (_, gpu) => {
  vi.stubGlobal('navigator', { gpu })
  const { device, reason } = await chooseProductDevice({ patience: 5 })
  expect(device.name).toMatch(/wasm/)
  expect(reason).toMatch(/did not answer within 0\.005 s/)
  await expect(chooseProductDevice({ force: 'webgpu', patience: 5 })).rejects.toThrow(/did not answer/)
})

test('a device that comes too late is given back', async () => {
  const destroyed = new Promise<void>((destroy) => {
    const requestDevice = () => new Promise((resolve) => setTimeout(() => resolve({ destroy }), 20))
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => ({ info: {}, requestDevice }) } })
  })
  await chooseProductDevice({ patience: 1 })
  await destroyed
})
