import { answered, GPU_PATIENCE_MS } from './answered.ts'
import { KernelError } from './error.ts'
import type { ProductDevice } from './kernels.ts'
import { createCpuProductDevice } from './wasm/device.ts'
import { createWasmKernelsAsync } from './wasm/kernels.ts'

/** A device and, in a sentence for the person at the screen, why it was chosen. */
export interface DeviceChoice {
  device: ProductDevice
  reason: string
}

/** Where products of matrices can be computed in a browser: `?backend=`. */
export type BackendKind = 'webgpu' | 'wasm'

interface Options {
  /** Insist on one device; forcing WebGPU also accepts a software adapter. */
  force?: BackendKind
  /** For the WebAssembly device: bytes of expanded F it may keep. */
  cacheBytes?: number
  /** Milliseconds that a GPU has for each answer. */
  patience?: number
}

/** `isFallbackAdapter` moved from the adapter to its info; browsers have one or the other. */
function isSoftware(adapter: GPUAdapter): boolean {
  const { info } = adapter as { info?: { isFallbackAdapter?: boolean } }
  return info?.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false
}

/** What the adapter says of itself, as far as it does. */
function nameOf(adapter: GPUAdapter): string {
  const { description, vendor, architecture } = adapter.info ?? {}
  return description || [vendor, architecture].filter(Boolean).join(' ') || 'your GPU'
}

async function onWasm(reason: string, cacheBytes: number | undefined): Promise<DeviceChoice> {
  return { device: createCpuProductDevice(await createWasmKernelsAsync(), { cacheBytes }), reason }
}

/**
 * The best device here: a real GPU that passes its start-up test, else WebAssembly. A software GPU adapter is an
 * order of magnitude slower than WebAssembly, so it is taken only if forced.
 * @throws KernelError if WebGPU is forced and cannot be had.
 */
export async function chooseProductDevice(options: Options = {}): Promise<DeviceChoice> {
  const { force, cacheBytes } = options
  if (force === 'wasm') return onWasm('Running on the processor (WebAssembly), as you asked.', cacheBytes)
  const forced = force === 'webgpu'
  // Whoever insists would rather wait: one imitated in software takes long to compile its shaders.
  const { patience = forced ? 24 * GPU_PATIENCE_MS : GPU_PATIENCE_MS } = options
  const gpu = typeof navigator === 'undefined' ? undefined : navigator.gpu
  if (!gpu) {
    const why = 'This browser does not offer WebGPU here'
    if (forced) throw new KernelError(why)
    return onWasm(`${why}, so Sotto runs on the processor (WebAssembly).`, cacheBytes)
  }
  const asked = gpu.requestAdapter({ powerPreference: 'high-performance' })
  const adapter = await answered(asked, 'The GPU', patience).catch((error: unknown) => error)
  if (!adapter || adapter instanceof Error) {
    const why =
      adapter instanceof KernelError
        ? adapter.message
        : 'No usable GPU was found (it may be blocked or switched off in the browser)'
    if (forced) throw new KernelError(why)
    return onWasm(`${why}, so Sotto runs on the processor (WebAssembly).`, cacheBytes)
  }
  const software = isSoftware(adapter as GPUAdapter)
  if (software && !forced) {
    const why = 'The browser only offers a GPU imitated in software, which is slower than WebAssembly'
    return onWasm(`${why}, so Sotto runs on the processor.`, cacheBytes)
  }
  try {
    // shader texts load as part of this module only, so Node never has to
    const { createWebGpuProductDevice } = await import('./webgpu/device.ts')
    const device = await createWebGpuProductDevice({ adapter: adapter as GPUAdapter, patience })
    const reason = software
      ? 'Running on a GPU imitated in software, as you asked.'
      : `Running on ${nameOf(adapter as GPUAdapter)} (WebGPU); it passed its arithmetic test.`
    return { device, reason }
  } catch (error) {
    if (forced) throw error
    const detail = error instanceof Error ? error.message : String(error)
    return onWasm(
      `The GPU could not be used (${detail}), so Sotto runs on the processor (WebAssembly).`,
      cacheBytes,
    )
  }
}
