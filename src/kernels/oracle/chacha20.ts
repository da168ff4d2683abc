const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

/** RFC 8439 section 2.1, in place. */
function quarterRound(s: Int32Array, a: number, b: number, c: number, d: number): void {
  s[a] += s[b]
  s[d] = rotate(s[d] ^ s[a], 16)
  s[c] += s[d]
  s[b] = rotate(s[b] ^ s[c], 12)
  s[a] += s[b]
  s[d] = rotate(s[d] ^ s[a], 8)
  s[c] += s[d]
  s[b] = rotate(s[b] ^ s[c], 7)
}

/** One 64-byte block (RFC 8439 section 2.3); key 32 bytes, nonce 12, counter below 2^32. */
export function chacha20Block(key: Uint8Array, nonce: Uint8Array, counter: number): Uint8Array {
  const word = (bytes: Uint8Array, i: number) =>
    new DataView(bytes.buffer, bytes.byteOffset).getInt32(4 * i, true)
  const input = new Int32Array(16)
  for (let i = 0; i < 4; i++) input[i] = CONSTANTS[i]
  for (let i = 0; i < 8; i++) input[4 + i] = word(key, i)
  input[12] = counter
  for (let i = 0; i < 3; i++) input[13 + i] = word(nonce, i)
  const s = input.slice()
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarterRound(s, i, 4 + i, 8 + i, 12 + i)
    for (let i = 0; i < 4; i++) quarterRound(s, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4))
  }
  const out = new Uint8Array(64)
  const view = new DataView(out.buffer)
  for (let i = 0; i < 16; i++) view.setInt32(4 * i, s[i] + input[i], true)
  return out
}
