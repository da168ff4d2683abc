/** Which products of masks it takes to multiply out T0 + g0 (T1 + g1 (T2 + ...)), the levels of an inverse table. */

/** Dealt words for one value of n levels: products of at least two masks, of gates alone and with one level's. */
export const levelProducts = (n: number): number => new GateProducts(n).names.length

/** A product of masks: a set of gates, as bits, and a level or none. */
interface MaskProduct {
  readonly gates: number
  readonly level?: number
}

export const bitCount = (x: number): number => (x === 0 ? 0 : (x & 1) + bitCount(x >>> 1))

export class GateProducts {
  /** All that need dealing. */
  readonly names: MaskProduct[] = []
  readonly #index = new Map<string, number>()

  constructor(n: number) {
    for (let level = 0; level < n; level++)
      // Level k stands behind gates 0..k-1; those that include the last of these are new.
      for (let gates = 0; gates < 2 ** level; gates++) {
        if (gates > 0) this.#add({ gates, level })
        if (level > 0 && gates >= 2 ** (level - 1) && bitCount(gates) > 1) this.#add({ gates })
      }
  }

  /** Its place among the dealt words, or -1. */
  indexOf(gates: number, level?: number): number {
    return this.#index.get(`${gates} ${level}`) ?? -1
  }

  #add(p: MaskProduct): void {
    this.#index.set(`${p.gates} ${p.level}`, this.names.length)
    this.names.push(p)
  }
}
