import type { Kernels, MatrixData, ProductDevice } from './kernels.ts'
import { createCpuProductDevice } from './wasm/device.ts'
import { createWasmKernelsAsync } from './wasm/kernels.ts'

/** A sample takes this long at least: browsers show time in steps of 0.1 ms or more. */
const SAMPLE_MS = 4

async function sample(run: () => unknown, times: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < times; i++) await run()
  return performance.now() - start
}

/** Best of repeated samples, in milliseconds a run: what the code can do, whatever else the machine is doing. */
async function best(run: () => unknown, budgetMs: number): Promise<number> {
  let times = 1
  // the lesser of two, so that one pause does not pass for a long run
  const twice = async () => Math.min(await sample(run, times), await sample(run, times))
  let least = await twice()
  for (; least < SAMPLE_MS; least = await twice()) times *= 2
  const start = performance.now()
  while (performance.now() - start < budgetMs) least = Math.min(least, await sample(run, times))
  return least / times
}

/** Benchmark operands: a keystream, so that no branch or cache sees anything regular. */
function operand(kernels: Kernels, bytes: number): ArrayBuffer {
  const out = new Uint8Array(bytes)
  kernels.keystream(new Uint8Array(32), new Uint8Array(12), 0, out)
  return out.buffer
}

const SHAPES = [
  [1, 256, 1400],
  [1, 1024, 3072],
  [64, 1024, 1024],
] as const

function matrices(kernels: Kernels, count: number): Record<string, MatrixData> {
  const data = operand(kernels, count * 8)
  return {
    i8: new Int8Array(data, 0, count),
    i16: new Int16Array(data, 0, count),
    i32: new Int32Array(data, 0, count),
    u64: new BigUint64Array(data),
  }
}

async function benchCpu(kernels: Kernels, budgetMs: number): Promise<Record<string, number>> {
  const row: Record<string, number> = {}
  const put = (what: string, value: number) => {
    row[`${kernels.name}: ${what}`] = Number(value.toPrecision(3))
  }
  for (const size of [256, 16_384, 4 << 20]) {
    const out = new Uint8Array(size)
    const ms = await best(() => kernels.keystream(new Uint8Array(32), new Uint8Array(12), 0, out), budgetMs)
    put(`keystream of ${size} bytes, GB/s`, size / ms / 1e6)
  }
  for (const [m, k, n] of SHAPES) {
    const a = new BigUint64Array(operand(kernels, m * k * 8))
    for (const [type, data] of Object.entries(matrices(kernels, k * n))) {
      const b = kernels.load(data, k, n)
      for (const bits of [16, 32, 64]) {
        const rate = (ms: number) => (m * k * n) / ms / 1e6
        const shape = `${m}x${k}x${n} ${type} mod 2^${bits}, Gop/s`
        put(`matmul ${shape}`, rate(await best(() => kernels.matmul(a, m, b, bits), budgetMs)))
        const later = kernels.matmulAsync
        if (later && m > 1)
          put(`matmulAsync ${shape}`, rate(await best(() => later(a, m, b, bits), budgetMs)))
      }
      b.free()
    }
  }
  const values = new BigUint64Array(operand(kernels, 8 << 16))
  for (const bits of [8, 13, 32, 37, 64]) {
    const bytes = kernels.pack(values, bits)
    const rate = (ms: number) => values.length / ms / 1e6
    put(`pack ${bits} bits, G values/s`, rate(await best(() => kernels.pack(values, bits), budgetMs)))
    const unpack = () => kernels.unpack(bytes, bits, values.length)
    put(`unpack ${bits} bits, G values/s`, rate(await best(unpack, budgetMs)))
  }
  return row
}

/** First product (with the expansion of F) and a later one, Gop/s of k * n * rows. */
async function benchDevice(
  device: ProductDevice,
  label: string,
  budgetMs: number,
): Promise<Record<string, number>> {
  const row: Record<string, number> = {}
  const [k, n] = [1024, 1024]
  const key = new Uint8Array(32).fill(1)
  for (const bits of [16, 32, 64]) {
    const f = await device.stationary({ key, nonce: new Uint8Array(12), k, n, bits })
    for (const rows of [1, 16]) {
      const spec = { key, firstSerial: 0n, rows, a: 1, lift: { hi: 2, shift: 5 }, c: 3 }
      const ms = await best(() => device.product(f, spec), budgetMs)
      const gops = (k * n * rows) / ms / 1e6
      row[`${label}: product ${rows}x${k}x${n} mod 2^${bits}, Gop/s`] = Number(gops.toPrecision(3))
    }
    f.free()
  }
  return row
}

/** Node's kernels where there is a Node; a bundler for the browser must not follow the import. */
async function nodeKernels(): Promise<Kernels[]> {
  if (typeof process === 'undefined' || !process.versions?.node) return []
  const path = './node/kernels.ts'
  const { createNodeKernels } = await import(/* @vite-ignore */ path)
  return [createNodeKernels()]
}

/**
 * Measures every backend that runs here: one record each, from "backend: what, unit" to the figure. A Gop is 10^9
 * ring multiply-adds.
 * @param budgetMs time for each figure.
 */
export async function benchKernels(budgetMs = 100): Promise<Record<string, number>[]> {
  const rows: Record<string, number>[] = []
  const wasm = await createWasmKernelsAsync()
  for (const kernels of [wasm, ...(await nodeKernels())]) rows.push(await benchCpu(kernels, budgetMs))
  rows.push(await benchDevice(createCpuProductDevice(wasm), 'wasm device', budgetMs))
  const tiled = createCpuProductDevice(wasm, { cacheBytes: 0 })
  rows.push(await benchDevice(tiled, 'wasm device remaking F', budgetMs))
  if (typeof navigator !== 'undefined' && navigator.gpu) {
    const { createWebGpuProductDevice } = await import('./webgpu/device.ts')
    const gpu = await createWebGpuProductDevice()
    rows.push(await benchDevice(gpu, 'webgpu', budgetMs))
    gpu.destroy()
  }
  return rows
}
