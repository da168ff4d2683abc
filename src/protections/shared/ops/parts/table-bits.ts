/**
 * Bits of a dealt table's words: at least `need`, and such that one entry fills whole bytes (entries are read alone).
 * A machine word that is hardly wider is taken instead: it needs no packing.
 */
export function tableBits(need: number, words: number): number {
  for (const word of [8, 32]) if (need <= word && need >= 0.85 * word) return word
  for (let bits = need; bits <= 64; bits++) if ((bits * words) % 8 === 0) return bits
  return 64
}
