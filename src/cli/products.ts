/** How this machine makes products of many rows, found out before a party listens. */
import type { Logger } from 'pino'
import { chooseProducts } from '../kernels/node/choice.ts'

/** Logs the choice with its reason; facts for whoever reads a party's first line. */
export async function announceProducts(log: Logger): Promise<{ products: string; productsReason: string }> {
  const { kind: products, reason: productsReason } = await chooseProducts()
  log.info({ products, productsReason }, 'products of many rows')
  return { products, productsReason }
}
