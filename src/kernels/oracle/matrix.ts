import { checkLoad, checkMatmul, checkRead } from '../checks.ts'
import { demand } from '../error.ts'
import type { Kernels, Matrix } from '../kernels.ts'

class OracleMatrix implements Matrix {
  readonly k: number
  readonly n: number
  values: bigint[] | undefined

  constructor(values: bigint[], k: number, n: number) {
    this.values = values
    this.k = k
    this.n = n
  }

  free(): void {
    this.values = undefined
  }
}

/** Matrix products in BigInt, one sum at a time. */
export const oracleMatrices: Pick<Kernels, 'load' | 'read' | 'matmul'> = {
  load(data, k, n) {
    checkLoad(data, k, n)
    return new OracleMatrix(Array.from(data, BigInt), k, n)
  },
  read(b, from, rows) {
    demand(b instanceof OracleMatrix, 'the matrix was loaded by other kernels')
    checkRead(b, from, rows)
    demand(b.values !== undefined, 'the matrix was freed')
    return BigUint64Array.from(b.values.slice(from * b.n, (from + rows) * b.n), (v) => BigInt.asUintN(64, v))
  },
  matmul(a, m, b, bits) {
    demand(b instanceof OracleMatrix, 'the matrix was loaded by other kernels')
    checkMatmul(a, m, b.k, bits)
    const { k, n, values } = b
    demand(values !== undefined, 'the matrix was freed')
    const out = new BigUint64Array(m * n)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0n
        for (let l = 0; l < k; l++) sum += a[i * k + l] * values[l * n + j]
        out[i * n + j] = BigInt.asUintN(bits, sum)
      }
    }
    return out
  },
}
