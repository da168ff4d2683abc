/** What the owner takes from where it runs: a browser's worker, or Node. */
import { chooseProductDevice } from '../kernels/choose.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { resilientDevice } from '../kernels/resilient.ts'
import { createWasmKernelsAsync } from '../kernels/wasm/kernels.ts'
import type { Surroundings } from '../protections/protection.ts'
import { relayedDial } from '../transport/webrtc-relay.ts'
import { OwnerError } from './api.ts'
import type { OwnerHost } from './host.ts'

/** Kernels, a device, transports, and a way to download public files. */
export interface Platform extends Surroundings {
  /** Fetches a public file, from a cache where there is one; `key` names its exact content. */
  download(url: string, key: string): Promise<Response>
  /** Drops what `download` has cached of these contents. */
  forget?(key: string): Promise<void>
}

const CACHE = 'sotto-models-1'

/** Bytes of expanded stationary masks that a page may keep. */
const STATIONARY_BYTES = 96 << 20

/** Opaque frames, private windows and pages whose data is blocked may have none: the very name may throw. */
async function openCache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(CACHE)
  } catch {
    return undefined
  }
}

/** Rejects with `OwnerError` where the browser runs no WebAssembly, as in Lockdown mode, or one too old for ours. */
async function pageKernels(): Promise<Kernels> {
  try {
    return await createWasmKernelsAsync()
  } catch (cause) {
    const isMissing = typeof WebAssembly === 'undefined'
    throw new OwnerError(
      'webassembly-missing',
      isMissing
        ? 'This browser runs no WebAssembly, which your share of the computation is made with. Lockdown mode switches it off.'
        : 'This browser’s WebAssembly can’t run what your share of the computation is made with.',
      isMissing
        ? 'In Lockdown mode, switch it off for this website alone: in Safari’s page menu (“aA”), under Website Settings. Or open the page in another browser.'
        : 'Update the browser, or open the page in another one.',
      { cause },
    )
  }
}

/** A module worker of a page; `host` is the window. */
export async function browserPlatform(host: OwnerHost): Promise<Platform> {
  return {
    kernels: await pageKernels(),
    async device(force, onLoss = () => undefined) {
      const cacheBytes = STATIONARY_BYTES
      const { device, reason } = await chooseProductDevice({ force, cacheBytes })
      const replace = async () => (await chooseProductDevice({ force: 'wasm', cacheBytes })).device
      return { device: resilientDevice(device, replace, onLoss), reason }
    },
    connect: { webRtc: (url) => relayedDial((u) => host.openPeer(u), url) },
    async download(url, key) {
      // Without a cache every visit downloads.
      const cache = await openCache()
      const address = `${url}?${key}`
      const known = await cache?.match(address).catch(() => undefined)
      if (known) return known
      const response = await fetch(url)
      // Stored as it comes, so that whoever waits for it sees it come.
      if (response.ok && cache) void cache.put(address, response.clone()).catch(() => undefined)
      return response
    },
    async forget(key) {
      const cache = await openCache()
      for (const request of (await cache?.keys()) ?? [])
        if (request.url.endsWith(`?${key}`)) await cache?.delete(request)
    },
  }
}
