import { KernelError } from '../error.ts'
import { ringSync } from '../wasm/module.ts'
import {
  checkProduct,
  type DigitProduct,
  type LoadedProduct,
  onnxRuntime,
  type ProductKind,
  type ProductRuntime,
  productKinds,
} from './products.ts'
import { ringTrial, type Trial } from './trial.ts'

/** What makes products of many rows: one of the runtime's kinds, or WebAssembly. */
export type Products = ProductKind | 'wasm'
/** In the order in which they win a tie. */
export const productChoices: readonly Products[] = [...productKinds, 'wasm']

/** How products of many rows are made. */
export interface ProductOptions {
  /** Threads of a product; 0, the default, lets the runtime use every core. */
  readonly threads?: number
  /** Insists on one; by default the fastest of those that are exact. */
  readonly products?: Products
  /** Instead of ONNX Runtime. */
  readonly runtime?: ProductRuntime
}

/** What was chosen. */
export interface ProductChoice {
  readonly kind: Products
  /** Missing where WebAssembly multiplies. */
  readonly multiply?: DigitProduct
  /** For logs: why this one. */
  readonly reason: string
}

/** Each is tried so often, in turn, and its best time counts: whatever else the machine does then weighs on all. */
const TURNS = 3
/**
 * So much faster must one be to be taken instead of another that is named before it. WebAssembly must be more than that:
 * where cores are idle the runtime spreads a product over them.
 */
const CLEARLY = 1.15
const CLEARLY_ON_ONE_CORE = 1.5
/** So much slower than another at its second turn is not tried again; the first warms up. */
const HOPELESS = 3

/** Loads a kind and checks what it multiplies. @throws Error where it is missing or inexact. */
async function load(kind: ProductKind, { runtime = onnxRuntime, threads = 0 }: ProductOptions) {
  const loaded = await runtime(kind, threads)
  try {
    await checkProduct(kind, loaded.multiply)
    return loaded
  } catch (error) {
    await loaded.release()
    throw error
  }
}

/** @throws KernelError where the machine has none of the kind that is insisted on, or an inexact one. */
async function insisted(kind: Products, options: ProductOptions): Promise<ProductChoice> {
  const reason = 'as asked'
  if (kind === 'wasm') return { kind, reason }
  try {
    return { kind, multiply: (await load(kind, options)).multiply, reason }
  } catch (error) {
    if (error instanceof KernelError) throw error
    throw new KernelError(`${kind} products cannot be had here: ${messageOf(error)}`)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Kinds that may be the fastest: the runtime has no signed bytes of both sides for x86, and takes ten times as long. */
const kindsOn = (arch: string): readonly ProductKind[] =>
  arch === 'x64' ? productKinds.filter((kind) => kind !== 's8s8') : productKinds

/**
 * Tries every kind on the machine at hand: those that give a wrong sum are out, and the fastest of the others stays. Digits of
 * 7 bits are left out where whole bytes are exact: they only take more of the same products.
 * @param trial what they are timed on.
 * @param arch of the processor, as `process.arch`.
 */
export async function measuredChoice(
  options: ProductOptions,
  trial: Trial,
  arch: string = process.arch,
): Promise<ProductChoice> {
  const loaded = new Map<ProductKind, LoadedProduct>()
  const refused: string[] = []
  for (const kind of kindsOn(arch)) {
    if (kind === 'u7s8' && loaded.has('u8s8')) continue
    try {
      loaded.set(kind, await load(kind, options))
    } catch (error) {
      // What is missing altogether is missing in all kinds.
      refused.push(error instanceof KernelError ? `${kind} inexact` : `${kind} missing`)
    }
  }
  const best = new Map<Products, number>()
  for (let turn = 0; turn < TURNS; turn++)
    for (const kind of productChoices) {
      const product = kind === 'wasm' ? undefined : loaded.get(kind)
      if (kind !== 'wasm' && !product) continue
      if (turn > 1 && (best.get(kind) ?? 0) > HOPELESS * Math.min(...best.values())) continue
      const ms =
        kind === 'wasm' ? trial.wasm() : await trial.digits(kind, (product as LoadedProduct).multiply)
      best.set(kind, Math.min(ms, best.get(kind) ?? Number.POSITIVE_INFINITY))
    }
  let chosen: Products = 'wasm'
  let least = Number.POSITIVE_INFINITY
  for (const [kind, ms] of best) {
    const clearly = kind === 'wasm' ? CLEARLY_ON_ONE_CORE : CLEARLY
    if (ms * clearly < least) [chosen, least] = [kind, ms]
  }
  for (const [kind, product] of loaded) if (kind !== chosen) await product.release()
  const times = [...best].map(([kind, ms]) => `${kind} ${ms.toFixed(1)} ms`)
  const multiply = chosen === 'wasm' ? undefined : loaded.get(chosen)?.multiply
  return {
    kind: chosen,
    multiply,
    reason: `fastest of the exact, in processor time: ${[...times, ...refused].join(', ')}`,
  }
}

const made = new Map<number, Promise<ProductChoice>>()

/**
 * What makes the products of many rows in this process. It is found out once for each number of threads; where the options
 * insist on a kind or bring a runtime, anew each time.
 * @throws KernelError where the kind that is insisted on is missing or inexact.
 */
export function chooseProducts(options: ProductOptions = {}): Promise<ProductChoice> {
  if (options.products) return insisted(options.products, options)
  const measured = () => measuredChoice(options, ringTrial(ringSync()))
  if (options.runtime) return measured()
  const { threads = 0 } = options
  let choice = made.get(threads)
  if (!choice) {
    choice = measured()
    made.set(threads, choice)
  }
  return choice
}

/** `chooseProducts` for whoever asks again and again: what the options insist on is loaded once. */
export function once(options: ProductOptions): () => Promise<ProductChoice> {
  let choice: Promise<ProductChoice> | undefined
  return () => {
    choice ??= chooseProducts(options)
    return choice
  }
}
