import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { bytesPer, type Dtype, encodeHeader, encodeValues } from './safetensors.ts'

/** A tensor to be written. */
export interface Listed {
  name: string
  shape: number[]
  dtype: Dtype
}

/** What a file has become; hashes in lower-case hexadecimal. */
export interface Written {
  bytes: number
  sha256: string
  /** SHA-256 of each tensor's bytes, in the order they were listed. */
  tensors: string[]
}

/** Values converted at a time. */
const PIECE = 1 << 18

/** Write a safetensors file tensor by tensor, as `read` brings them, so that no more than one is in memory. */
export async function writeSafetensors(
  path: string,
  listed: readonly Listed[],
  read: (tensor: Listed) => Promise<Float32Array>,
): Promise<Written> {
  const file = openSync(path, 'w')
  const whole = createHash('sha256')
  let bytes = 0
  const append = (part: Uint8Array): void => {
    whole.update(part)
    for (let at = 0; at < part.length; ) at += writeSync(file, part, at)
    bytes += part.length
  }
  try {
    append(encodeHeader(listed, { format: 'pt' }))
    const tensors: string[] = []
    const buffer = new Uint8Array(4 * PIECE)
    for (const tensor of listed) {
      // Large models take long: an interruption must be heard between tensors.
      await setImmediate()
      const data = await read(tensor)
      const hash = createHash('sha256')
      for (let at = 0; at < data.length; at += PIECE) {
        const values = data.subarray(at, at + PIECE)
        const part = encodeValues(
          values,
          tensor.dtype,
          buffer.subarray(0, values.length * bytesPer[tensor.dtype]),
        )
        append(part)
        hash.update(part)
      }
      tensors.push(hash.digest('hex'))
    }
    return { bytes, sha256: whole.digest('hex'), tensors }
  } finally {
    closeSync(file)
  }
}
