/** The Worker side of the harness: vectors on the WASM kernels and on a GPU device of its own. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import json from '../../../src/kernels/vectors.json'
import { digest, hexWords, productOf, type Vectors, wordsHex } from '../../../src/kernels/vectors.ts'
import { createWasmKernelsAsync } from '../../../src/kernels/wasm/kernels.ts'
import { createWebGpuProductDevice } from '../../../src/kernels/webgpu/device.ts'

async function run(): Promise<string[]> {
  const vectors = json as Vectors
  const wrong: string[] = []
  const wasm = await createWasmKernelsAsync()
  for (const { key, nonce, offset, out } of vectors.keystream) {
    const got = new Uint8Array(out.length / 2)
    wasm.keystream(hexToBytes(key), hexToBytes(nonce), offset, got)
    if (bytesToHex(got) !== out) wrong.push('keystream')
  }
  for (const { bits, values, bytes } of vectors.pack) {
    if (bytesToHex(wasm.pack(hexWords(values), bits)) !== bytes) wrong.push(`pack ${bits}`)
  }
  for (const { bits, m, k, n, a, b, y } of vectors.matmul) {
    const matrix = wasm.load(hexWords(b), k, n)
    if (wordsHex(wasm.matmul(hexWords(a), m, matrix, bits)) !== y) wrong.push(`matmul ${bits}`)
    matrix.free()
  }
  const gpu = await createWebGpuProductDevice()
  const [f, spec] = productOf(vectors.product[6])
  const y = await gpu.product(await gpu.stationary(f), spec)
  if (digest(y) !== vectors.product[6].digest) wrong.push('gpu product')
  gpu.destroy()
  return wrong
}

run().then(
  (wrong) => self.postMessage(wrong),
  (error) => self.postMessage([String(error)]),
)
