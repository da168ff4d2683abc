/** What `webgpu.browser.test.ts` runs inside the page; every function returns plain JSON. */
import { chooseProductDevice } from '../../../src/kernels/choose.ts'
import type { ProductDevice, ProductSpec, StationarySpec } from '../../../src/kernels/kernels.ts'
import { createOracleProductDevice } from '../../../src/kernels/oracle/device.ts'
import json from '../../../src/kernels/vectors.json'
import { digest, productOf, type Vectors, wordsHex } from '../../../src/kernels/vectors.ts'
import { createCpuProductDevice } from '../../../src/kernels/wasm/device.ts'
import { createWasmKernelsAsync } from '../../../src/kernels/wasm/kernels.ts'
import { createWebGpuProductDevice } from '../../../src/kernels/webgpu/device.ts'

/** Runs every product vector; the start-up test has run every kernel vector by then. */
export async function productVectors(): Promise<{ wrong: number[]; count: number; dispatches: number }> {
  const device = await createWebGpuProductDevice()
  const wrong: number[] = []
  const vectors = (json as Vectors).product
  for (const [i, vector] of vectors.entries()) {
    const [f, spec] = productOf(vector)
    const own = await device.stationary(f)
    const y = await device.product(own, spec)
    if (wordsHex(y.subarray(0, 1)) !== vector.first || digest(y) !== vector.digest) wrong.push(i)
    own.free()
  }
  const { dispatches } = device
  device.destroy()
  return { wrong, count: vectors.length, dispatches }
}

function randomSpecs(): [StationarySpec, ProductSpec] {
  const [a, b, c, e, g] = crypto.getRandomValues(new Uint32Array(5))
  const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  const bits = 1 + (a % 64)
  const f = { key: bytes(32), nonce: bytes(12), k: b % 150, n: 1 + (c % 150), bits }
  const firstSerial = (BigInt(e) << 32n) + 0xfffffffdn
  return [f, { key: bytes(32), firstSerial, rows: g % 12, a: 1, c: 2 }]
}

/** Random shapes and rings: GPU against oracle. Returns the specs that differ. */
export async function randomProducts(count: number): Promise<string[]> {
  const device = await createWebGpuProductDevice()
  const oracle = createOracleProductDevice()
  const wrong: string[] = []
  for (let i = 0; i < count; i++) {
    const [f, spec] = randomSpecs()
    const own = await device.stationary(f)
    const [got, want] = [
      await device.product(own, spec),
      await oracle.product(await oracle.stationary(f), spec),
    ]
    own.free()
    if (digest(got) === digest(want) && got.length === want.length) continue
    const show = (_: string, v: unknown) =>
      typeof v === 'bigint' ? String(v) : v instanceof Uint8Array ? [...v] : v
    wrong.push(JSON.stringify({ f, spec }, show))
  }
  device.destroy()
  return wrong
}

/** Big enough for several pieces of F, batches of rows and submissions: GPU against the WASM device. */
export async function largeProducts(): Promise<boolean[]> {
  const gpu = await createWebGpuProductDevice()
  const cpu = createCpuProductDevice(await createWasmKernelsAsync(), { cacheBytes: 0 })
  const same: boolean[] = []
  for (const [bits, k, n, rows] of [
    [52, 24, 400_001, 9],
    [12, 700, 301, 70],
    [64, 1024, 256, 1],
  ]) {
    const f = { key: new Uint8Array(32).fill(bits), nonce: new Uint8Array(12), k, n, bits }
    const key = new Uint8Array(32).fill(3)
    const spec = { key, firstSerial: 9n, rows, a: 1, c: 4 }
    const run = async (device: ProductDevice) => {
      const own = await device.stationary(f)
      const y = await device.product(own, spec)
      own.free()
      return y
    }
    const [a, b] = [await run(gpu), await run(cpu)]
    same.push(a.length === b.length && a.every((v, i) => v === b[i]))
  }
  gpu.destroy()
  return same
}

/** Loses the device under a product: what the product rejects with, what `lost` says, and whether a repeat agrees. */
export async function loss(): Promise<{
  name: string
  message: string
  lost: string
  later: string
  repeated: boolean
}> {
  const [f, spec] = productOf((json as Vectors).product[6])
  const first = await createWebGpuProductDevice()
  const own = await first.stationary(f)
  const failing = first.product(own, spec).then(
    () => new Error('the product succeeded'),
    (error: Error) => error,
  )
  first.destroy()
  const { name, message } = await failing
  const lost = await first.lost
  const later = await first.product(own, spec).then(
    () => 'succeeded',
    (error: Error) => error.name,
  )
  const second = await createWebGpuProductDevice()
  const y = await second.product(await second.stationary(f), spec)
  second.destroy()
  return { name, message, lost, later, repeated: digest(y) === (json as Vectors).product[6].digest }
}

/** A device whose shader compiler is broken for one kernel: the start-up test must name it. */
export async function brokenKernel(): Promise<string> {
  const adapter = await navigator.gpu.requestAdapter()
  const device = await adapter?.requestDevice()
  if (!device) return 'no device'
  const original = device.createShaderModule.bind(device)
  device.createShaderModule = (descriptor) =>
    original({ ...descriptor, code: descriptor.code.replace('(x0 * g0) >> up', '(x0 * g0) >> (up + up)') })
  return createWebGpuProductDevice({ device }).then(
    () => 'accepted',
    (error: Error) => `${error.name}: ${error.message}`,
  )
}

/** Name and reason of the automatic and the forced choices. */
export async function choices(): Promise<{ name: string; reason: string }[]> {
  const out: { name: string; reason: string }[] = []
  for (const force of [undefined, 'wasm', 'webgpu'] as const) {
    const { device, reason } = await chooseProductDevice({ force })
    out.push({ name: device.name, reason })
  }
  return out
}

/** The WASM kernels (compiled synchronously) and the GPU device inside a Worker: names of what went wrong. */
export async function inWorker(): Promise<string[]> {
  const worker = new Worker(new URL('./webgpu-harness.worker.ts', import.meta.url), { type: 'module' })
  const wrong = await new Promise<string[]>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => resolve([message])
  })
  worker.terminate()
  return wrong
}
