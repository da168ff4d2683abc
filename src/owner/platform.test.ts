import { afterEach, expect, test, vi } from 'vitest'
import { createWasmKernelsAsync } from '../kernels/wasm/kernels.ts'
import { browserPlatform } from './platform.ts'

afterEach(() => vi.unstubAllGlobals())

const host = { openPeer: () => Promise.reject(new Error('There is no window here.')) }

test('a browser without WebAssembly says so, and what to do in Lockdown mode', async () => {
  vi.stubGlobal('WebAssembly', undefined)
  await expect(browserPlatform(host)).rejects.toThrow(
    expect.objectContaining({
      code: 'webassembly-missing',
      message: expect.stringContaining('Lockdown mode'),
      advice: expect.stringContaining('for this website alone'),
    }),
  )
})

test('one that refuses the module asks for another browser, and for no change of settings', async () => {
  // Node's own fetch has a module, too, which it compiles when it is first used.
  await createWasmKernelsAsync()
  vi.spyOn(WebAssembly, 'instantiate').mockImplementation(async () => {
    throw new WebAssembly.CompileError('invalid value type')
  })
  await expect(browserPlatform(host)).rejects.toThrow(
    expect.objectContaining({ code: 'webassembly-missing', advice: expect.not.stringContaining('Lockdown') }),
  )
  vi.restoreAllMocks()
})
