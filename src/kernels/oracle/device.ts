import { checkProduct, checkStationary, rowNonce } from '../checks.ts'
import { demand } from '../error.ts'
import type { ProductDevice, ProductSpec, Stationary, StationarySpec } from '../kernels.ts'
import { createOracleKernels } from './kernels.ts'

class OracleStationary implements Stationary {
  readonly spec: StationarySpec
  freed = false

  constructor(spec: StationarySpec) {
    this.spec = spec
  }

  free(): void {
    this.freed = true
  }
}

/** The reference twin of the product devices. */
export function createOracleProductDevice(): ProductDevice {
  const kernels = createOracleKernels()
  let dispatches = 0

  function words(key: Uint8Array, nonce: Uint8Array, count: number): BigUint64Array {
    const bytes = new Uint8Array(count * 8)
    kernels.keystream(key, nonce, 0, bytes)
    const view = new DataView(bytes.buffer)
    return BigUint64Array.from({ length: count }, (_, i) => view.getBigUint64(8 * i, true))
  }

  /** `rows` rows of `count` words each, row r from serial firstSerial + r. */
  function stream(spec: ProductSpec, id: number, count: number): bigint[] {
    const rows = Array.from({ length: spec.rows }, (_, r) =>
      Array.from(words(spec.key, rowNonce(id, spec.firstSerial + BigInt(r)), count)),
    )
    return rows.flat()
  }

  return {
    name: 'oracle',
    get dispatches() {
      return dispatches
    },
    lost: new Promise(() => {}),
    async stationary(spec) {
      checkStationary(spec)
      return new OracleStationary({ ...spec, key: spec.key.slice(), nonce: spec.nonce.slice() })
    },
    async product(f, spec) {
      demand(f instanceof OracleStationary && !f.freed, 'not a live stationary operand of this device')
      const { k, n, bits, key, nonce } = f.spec
      checkProduct(spec)
      const c = stream(spec, spec.c, n)
      const b = kernels.load(words(key, nonce, k * n), k, n)
      const y = kernels.matmul(BigUint64Array.from(stream(spec, spec.a, k)), spec.rows, b, bits)
      dispatches++
      return y.map((v, i) => BigInt.asUintN(bits, v + c[i]))
    },
  }
}
