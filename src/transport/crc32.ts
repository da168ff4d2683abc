/**
 * CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320), eight bytes per step ("slicing-by-8").
 * It guards against damage, not against an attacker: authenticity on the way is TLS's and DTLS's work.
 */

const tables = buildTables()

function buildTables(): Uint32Array[] {
  const all = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    all[0][n] = c
  }
  for (let t = 1; t < 8; t++) {
    for (let n = 0; n < 256; n++) all[t][n] = (all[t - 1][n] >>> 8) ^ all[0][all[t - 1][n] & 255]
  }
  return all
}

/** The checksum (u32) of bytes, going on from that of the bytes before them, or from 0. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number

/** Continues from `seed`, the result of the bytes before. */
export const crc32Portable: Crc32 = (bytes, seed = 0) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  const end = bytes.length
  let c = ~seed
  let i = 0
  for (; i + 8 <= end; i += 8) {
    const a = c ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    c =
      t7[a & 255] ^
      t6[(a >>> 8) & 255] ^
      t5[(a >>> 16) & 255] ^
      t4[a >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]]
  }
  for (; i < end; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]) & 255]
  return ~c >>> 0
}

let implementation = crc32Portable

/** Node processes install zlib's, which is several times faster on the dealer's stream. */
export function useCrc32(faster: Crc32): void {
  implementation = faster
}

/** By whichever implementation was set last; the portable one until then. */
export const crc32: Crc32 = (bytes, seed) => implementation(bytes, seed)
