/** Bits of a dealt table's words: at least `need`, and such that one entry fills whole bytes (entries are read alone). */
export function tableBits(need: number, words: number): number {
  for (let bits = need; bits <= 64; bits++) if ((bits * words) % 8 === 0) return bits
  return 64
}
