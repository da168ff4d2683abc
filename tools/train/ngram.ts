/**
 * Interpolated Kneser-Ney n-gram model over token ids: the yardstick a neural model has to beat.
 * (Kneser and Ney, 1995; discounts D = n1 / (n1 + 2 n2) per order.)
 *
 * N-grams are nodes of a trie. The longest ones count how often they occur; shorter ones count in
 * how many different contexts they occur.
 */
export class NgramModel {
  readonly order: number
  readonly #vocab: number
  readonly #children = new PairTable()
  /** Per node: its count, the sum over its children's counts, and how many children it has. */
  readonly #count: number[] = [0]
  readonly #total: number[] = [0]
  readonly #types: number[] = [0]
  readonly #discount: number[]

  constructor(tokens: ArrayLike<number>, order: number, vocab: number) {
    this.order = order
    this.#vocab = vocab
    const parents: number[] = [-1]
    const orders: number[] = [0]
    // nodes[k] is the k-gram that ends at the current token.
    let nodes: number[] = [0]
    for (let i = 0; i < tokens.length; i++) {
      const next = [0]
      for (let k = 1; k <= Math.min(order, i + 1); k++) {
        const parent = nodes[k - 1]
        let node = this.#children.get(parent, tokens[i])
        if (node === undefined) {
          node = this.#count.length
          this.#children.set(parent, tokens[i], node)
          this.#count.push(0)
          parents.push(parent)
          orders.push(k)
          // A new k-gram is a new context for the (k-1)-gram without its first token.
          if (k > 1) this.#count[next[k - 1]]++
        }
        if (k === order) this.#count[node]++
        next.push(node)
      }
      nodes = next
    }
    const once = new Array<number>(order + 1).fill(0)
    const twice = new Array<number>(order + 1).fill(0)
    for (let node = 0; node < this.#count.length; node++) {
      this.#total.push(0)
      this.#types.push(0)
    }
    for (let node = 1; node < this.#count.length; node++) {
      const count = this.#count[node]
      this.#total[parents[node]] += count
      if (count > 0) this.#types[parents[node]]++
      if (count === 1) once[orders[node]]++
      if (count === 2) twice[orders[node]]++
    }
    this.#discount = once.map((n1, k) => (n1 > 0 ? n1 / (n1 + 2 * twice[k]) : 0.5))
  }

  /** Probability of `tokens[at]` after the tokens before it. */
  probability(tokens: ArrayLike<number>, at: number): number {
    let p = 1 / this.#vocab
    for (let k = 1; k <= Math.min(this.order, at + 1); k++) {
      const context = this.#find(tokens, at - k + 1, at)
      if (context === undefined || this.#total[context] === 0) break
      const node = this.#children.get(context, tokens[at])
      const count = node === undefined ? 0 : this.#count[node]
      const discount = this.#discount[k]
      p = (Math.max(count - discount, 0) + discount * this.#types[context] * p) / this.#total[context]
    }
    return p
  }

  #find(tokens: ArrayLike<number>, from: number, to: number): number | undefined {
    let node: number | undefined = 0
    for (let i = from; i < to && node !== undefined; i++) node = this.#children.get(node, tokens[i])
    return node
  }
}

/** Open-addressing hash table from (node, token) to node: millions of entries, few bytes each. */
class PairTable {
  #keys = new Float64Array(1 << 16).fill(-1)
  #values = new Int32Array(1 << 16)
  #used = 0

  #slot(key: number): number {
    const mask = this.#keys.length - 1
    let at = (Math.imul(key % 0xfffffffb, 0x9e3779b1) ^ (key / 65536)) & mask
    while (this.#keys[at] !== -1 && this.#keys[at] !== key) at = (at + 1) & mask
    return at
  }

  get(node: number, token: number): number | undefined {
    const at = this.#slot(node * 65536 + token)
    return this.#keys[at] === -1 ? undefined : this.#values[at]
  }

  set(node: number, token: number, value: number): void {
    if (this.#used * 2 > this.#keys.length) this.#grow()
    const key = node * 65536 + token
    const at = this.#slot(key)
    if (this.#keys[at] === -1) this.#used++
    this.#keys[at] = key
    this.#values[at] = value
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    this.#keys = new Float64Array(keys.length * 2).fill(-1)
    this.#values = new Int32Array(values.length * 2)
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === -1) continue
      const at = this.#slot(keys[i])
      this.#keys[at] = keys[i]
      this.#values[at] = values[i]
    }
  }
}
