/** Installs zlib's CRC-32 where this Node has it (20.15 and newer). */
import * as zlib from 'node:zlib'
import { type Crc32, useCrc32 } from '../crc32.ts'

const native = (zlib as { crc32?: (data: Uint8Array, value?: number) => number }).crc32
if (native) useCrc32(((bytes, seed) => native(bytes, seed)) satisfies Crc32)
