import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import type { Kernels, MatrixData, ProductDevice } from './kernels.ts'
import { createNodeKernels } from './node/kernels.ts'
import { createOracleProductDevice } from './oracle/device.ts'
import { createOracleKernels } from './oracle/kernels.ts'
import { makeVectors } from './oracle/vectors.ts'
import json from './vectors.json'
import { digest, hexWords, productOf, toWords, type Vectors, wordsHex } from './vectors.ts'
import { createCpuProductDevice } from './wasm/device.ts'
import { createWasmKernels } from './wasm/kernels.ts'

const vectors = json as Vectors
const wasm = createWasmKernels()
const node = createNodeKernels()

test('vectors.json is what the oracle makes', async () => {
  expect(JSON.parse(JSON.stringify(await makeVectors()))).toEqual(json)
})

test('RFC 8439 section 2.4.2 and appendix A.1', () => {
  const plain =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
  const cipher = new TextEncoder()
    .encode(plain)
    .map((byte, i) => byte ^ hexToBytes(vectors.keystream[0].out)[i])
  expect(bytesToHex(cipher)).toBe(
    '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357' +
      '1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736' +
      '5af90bbf74a35be6b40b8eedf2785e42874d',
  )
  expect(vectors.keystream[1].out).toBe(
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
      'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
  )
  expect(vectors.keystream[2].out).toBe(
    '72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca' +
      '13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096',
  )
})

const TYPES = { i8: Int8Array, i16: Int16Array, i32: Int32Array }

describe.each<Kernels>([createOracleKernels(), wasm, node])('$name', (kernels) => {
  test.each(vectors.keystream)('keystream from $offset', ({ key, nonce, offset, out }) => {
    const got = new Uint8Array(out.length / 2)
    kernels.keystream(hexToBytes(key), hexToBytes(nonce), offset, got)
    expect(bytesToHex(got)).toBe(out)
  })

  test.each(vectors.pack)('pack $bits bits', ({ bits, values, bytes }) => {
    expect(bytesToHex(kernels.pack(hexWords(values), bits))).toBe(bytes)
    const reduced = hexWords(values).map((v) => BigInt.asUintN(bits, v))
    expect(kernels.unpack(hexToBytes(bytes), bits, reduced.length)).toEqual(reduced)
  })

  test.each([...vectors.matmul, ...vectors.matmulOfNarrow])(
    'matmul with $type mod 2^$bits',
    async ({ bits, m, k, n, type, a, b, y }) => {
      const bytes = hexToBytes(b)
      const data: MatrixData = type === 'u64' ? toWords(bytes) : new TYPES[type](bytes.buffer)
      const matrix = kernels.load(data, k, n)
      expect(wordsHex(kernels.matmul(hexWords(a), m, matrix, bits))).toBe(y)
      expect(wordsHex((await kernels.matmulAsync?.(hexWords(a), m, matrix, bits)) ?? hexWords(y))).toBe(y)
      matrix.free()
    },
  )
})

describe.each<[string, ProductDevice]>([
  ['oracle', createOracleProductDevice()],
  ['wasm', createCpuProductDevice(wasm)],
  ['wasm, tiled', createCpuProductDevice(wasm, { cacheBytes: 0 })],
  ['node', createCpuProductDevice(node)],
  // kernels without `expand` go through load
  ['oracle kernels', createCpuProductDevice(createOracleKernels())],
])('products on %s', (_, device) => {
  test.each(vectors.product)('$spec.rows x $f.k x $f.n mod 2^$f.bits', async (vector) => {
    const [f, spec] = productOf(vector)
    const own = await device.stationary(f)
    const y = await device.product(own, spec)
    expect([wordsHex(y.subarray(0, 1)), digest(y)]).toEqual([vector.first, vector.digest])
    own.free()
  })
})
