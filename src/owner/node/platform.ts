/** What a data owner takes from Node: its kernels, and sockets beyond fetch. */
import type { ProductOptions } from '../../kernels/node/choice.ts'
import { createNodeProductDevice } from '../../kernels/node/device.ts'
import { createNodeKernels } from '../../kernels/node/kernels.ts'
import { makeWebSocket } from '../../transport/node/ws.ts'
import { postSignal } from '../../transport/webrtc.ts'
import type { Platform } from '../platform.ts'

/** Bytes of expanded stationary masks that a terminal may keep. */
const STATIONARY_BYTES = 1 << 29

/**
 * Kernels of Node, products on the processor, and sockets beyond fetch.
 *
 * @param products how products of many rows are made; by default as is fastest here
 */
export function nodePlatform(products: ProductOptions = {}): Platform {
  const kernels = createNodeKernels(products)
  const device = createNodeProductDevice(kernels, { ...products, cacheBytes: STATIONARY_BYTES })
  return {
    kernels,
    device: async () => ({ device, reason: 'The terminal computes on the processor.' }),
    connect: {
      webSocket: makeWebSocket(),
      webRtc: (url) => async () => {
        // A native module, which not every machine has and few sessions need.
        const { nodeWebRtcDial } = await import('../../transport/node/webrtc.ts')
        return nodeWebRtcDial(postSignal(url), new URL(url).hostname)()
      },
      fetch: globalThis.fetch.bind(globalThis),
    },
    download: (url) => fetch(url),
  }
}
