/** GPT-2's printable stand-in for each byte (space becomes U+0120, and so on). */
export const byteSymbols: readonly string[] = (() => {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++))
})()

const byteOf = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]))

/** The bytes a byte-level token stands for. */
export function symbolsToBytes(token: string): Uint8Array {
  return Uint8Array.from(token, (symbol) => {
    const byte = byteOf.get(symbol)
    if (byte === undefined) throw new RangeError(`"${symbol}" stands for no byte: not a byte-level token.`)
    return byte
  })
}
