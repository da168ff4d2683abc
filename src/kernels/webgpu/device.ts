import { answered, GPU_PATIENCE_MS } from '../answered.ts'
import { checkProduct, checkStationary, rowNonce } from '../checks.ts'
import { demand, KernelError } from '../error.ts'
import type { ProductDevice, ProductSpec } from '../kernels.ts'
import { Gpu } from './gpu.ts'
import { addParts, expand, type Layout, multiply, padded, splitsOf } from './kernels.ts'
import { selfTest, selfTestProducts } from './selftest.ts'
import { expandStationary, GpuStationary } from './stationary.ts'

/** Multiply-adds in one submission: a tenth of a second on a slow integrated GPU. */
const SUBMISSION_WORK = 2 ** 27
/** Elements of x or y on the device at a time. */
const BATCH_ELEMENTS = 2 ** 22

/** `ProductDevice` on WebGPU, which the owner of the session can also end. */
export interface WebGpuProductDevice extends ProductDevice {
  /** Gives the GPU back; products in flight reject. */
  destroy(): void
}

/** `rows` rows of the product from serial `first`, into `out`. */
async function productRows(
  f: GpuStationary,
  spec: ProductSpec,
  first: bigint,
  rows: number,
  out: BigUint64Array,
): Promise<void> {
  const { gpu, layout, pieces } = f
  const { k, n } = f.spec
  const width = layout.limbs === 2 ? 64 : 32
  const taken: GPUBuffer[] = []
  const take = (elements: number) => {
    const buffer = gpu.storage(elements * layout.limbs * 4)
    taken.push(buffer)
    return buffer
  }
  let y: GPUBuffer | undefined
  try {
    await gpu.submit('product', (batch) => {
      const stream = (id: number, count: number) => {
        const buffer = take(rows * padded(count))
        const source = { key: spec.key, nonce: rowNonce(id, first), counter: 0 }
        expand(batch, buffer, source, rows, count, layout, width)
        return buffer
      }
      y = stream(spec.c, n)
      if (k === 0) return
      const x = stream(spec.a, k)
      const parts = take(Math.max(...pieces.map((piece) => splitsOf(rows, piece.k, n).splits)) * rows * n)
      let work = 0
      for (const piece of pieces) {
        multiply(batch, parts, x, piece, rows, n, padded(k), layout)
        addParts(batch, y, parts, splitsOf(rows, piece.k, n).splits, rows, n, layout)
        work += rows * n * piece.k
        if (work < SUBMISSION_WORK) continue
        batch.flush()
        work = 0
      }
    })
    if (!y) throw new KernelError('product: nothing was encoded')
    const words = new Uint32Array(await gpu.read('product', y, rows * padded(n) * layout.limbs * 4))
    unpad(words, rows, n, layout, out)
  } finally {
    for (const buffer of taken) gpu.pool.give(buffer)
  }
}

/** Rows of padded elements of one or two words -> rows of n u64. */
function unpad(words: Uint32Array, rows: number, n: number, { limbs }: Layout, out: BigUint64Array): void {
  const target = new Uint32Array(out.buffer, out.byteOffset, out.length * 2)
  for (let r = 0; r < rows; r++) {
    const from = r * padded(n) * limbs
    if (limbs === 2) target.set(words.subarray(from, from + 2 * n), r * n * 2)
    else for (let j = 0; j < n; j++) target[(r * n + j) * 2] = words[from + j]
  }
}

async function requestDevice(adapter: GPUAdapter | null | undefined, patience: number): Promise<GPUDevice> {
  const found = adapter ?? (await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }))
  if (!found) throw new KernelError('this browser offers no GPU adapter')
  try {
    // default limits are enough: everything is tiled below them
    return await answered(found.requestDevice({ label: 'sotto' }), 'the GPU', patience, (device) =>
      device.destroy(),
    )
  } catch (cause) {
    if (cause instanceof KernelError) throw cause
    throw new KernelError('the GPU adapter refused a device', { cause })
  }
}

function deviceOf(gpu: Gpu): WebGpuProductDevice {
  return {
    name: 'webgpu',
    get dispatches() {
      return gpu.dispatches
    },
    lost: gpu.lost,
    destroy: () => gpu.device.destroy(),
    async stationary(spec) {
      checkStationary(spec)
      return expandStationary(gpu, spec)
    },
    async product(f, spec) {
      demand(
        f instanceof GpuStationary && f.gpu === gpu && !f.freed,
        'not a live stationary operand of this device',
      )
      const { k, n } = f.spec
      checkProduct(spec)
      const fair = Math.min(SUBMISSION_WORK / Math.max(k * n, 1), BATCH_ELEMENTS / Math.max(k, n, 1))
      const step = Math.max(8, Math.min(1024, Math.floor(fair / 8) * 8))
      const out = new BigUint64Array(spec.rows * n)
      for (let r = 0; r < spec.rows && n > 0; r += step) {
        const rows = Math.min(step, spec.rows - r)
        await productRows(f, spec, spec.firstSerial + BigInt(r), rows, out.subarray(r * n, (r + rows) * n))
        demand(!f.freed, 'the stationary operand was freed during the product')
      }
      return out
    },
  }
}

async function tested(device: GPUDevice): Promise<WebGpuProductDevice> {
  const gpu = await Gpu.create(device)
  await selfTest(gpu)
  const products = deviceOf(gpu)
  await selfTestProducts(products)
  gpu.dispatches = 0
  return products
}

/**
 * Everything of `ProductDevice` in WGSL: F is expanded on the device and stays there, a and c are expanded
 * there for every product, and only y comes back. Runs a known answer through every kernel first.
 * @throws KernelError if there is no device, or naming the kernel that gave a wrong answer.
 */
export async function createWebGpuProductDevice(
  options: { adapter?: GPUAdapter | null; device?: GPUDevice; patience?: number } = {},
): Promise<WebGpuProductDevice> {
  const { patience = GPU_PATIENCE_MS } = options
  const device = options.device ?? (await requestDevice(options.adapter, patience))
  try {
    // Compiling every shader and trying it is the longest of a GPU's answers.
    return await answered(tested(device), 'the GPU', 2 * patience)
  } catch (error) {
    device.destroy()
    throw error
  }
}
