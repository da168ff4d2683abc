/** The products of many rows that a child process was told to make: its only argument, or none. */
import {
  chooseProducts,
  type ProductChoice,
  type ProductOptions,
  productChoices,
} from '../src/kernels/node/choice.ts'

export const productsOf = (): ProductOptions => {
  const products = productChoices.find((kind) => kind === process.argv[2])
  return products ? { products } : {}
}

/** What came of it, as it travels between processes. */
export async function describe(options: ProductOptions): Promise<Pick<ProductChoice, 'kind' | 'reason'>> {
  const { kind, reason } = await chooseProducts(options)
  return { kind, reason }
}
