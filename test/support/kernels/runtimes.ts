/** Products of digits in plain JavaScript, in place of a runtime whose arithmetic the processor decides. */
import {
  type DigitProduct,
  operandsOf,
  type ProductKind,
  type ProductRuntime,
} from '../../../src/kernels/node/products.ts'

type Term = (a: number, b: number, aNext: number, bNext: number) => number

const loaded = (multiply: DigitProduct) => ({ multiply, release: async () => undefined })

function product(kind: ProductKind, pair: Term): DigitProduct {
  const { sums } = operandsOf[kind]
  return async (a, m, k, b, n) => {
    const y = new sums(m * n)
    for (let r = 0; r < m; r++)
      for (let c = 0; c < n; c++) {
        let sum = 0
        for (let i = 0; i < k; i += 2) {
          const two = i + 1 < k
          const at = r * k + i
          sum += pair(a[at], b[i * n + c], two ? a[at + 1] : 0, two ? b[(i + 1) * n + c] : 0)
        }
        y[r * n + c] = (kind === 'float64' ? BigInt(sum) : sum) as never
      }
    return y
  }
}

const exact: Term = (a, b, c, d) => a * b + c * d

/** As `vpmaddubsw` adds two products of a byte and a signed byte: to 16 bits, with saturation. */
const saturated: Term = (a, b, c, d) => Math.min(32767, Math.max(-32768, a * b + c * d))

/** Every kind, exact. */
export const exactRuntime: ProductRuntime = async (kind) => loaded(product(kind, exact))

/** An x86 processor without VNNI: unsigned by signed bytes go through `vpmaddubsw`, and the pairs are added in 32 bits. */
export const saturatingRuntime: ProductRuntime = async (kind) =>
  loaded(product(kind, kind.startsWith('u') ? saturated : exact))

export const missingRuntime: ProductRuntime = async () => {
  throw new Error('there is none')
}
