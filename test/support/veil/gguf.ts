/** Reads GGUF files, written once more from the format's description. */
import { readFileSync } from 'node:fs'

export interface GgufContents {
  readonly facts: Map<string, unknown>
  readonly tensors: Map<string, { type: number; shape: number[]; bytes: Buffer }>
}

export function readGguf(path: string): GgufContents {
  const file = readFileSync(path)
  let at = 0
  const next = (bytes: number): number => {
    at += bytes
    return at - bytes
  }
  const u32 = (): number => file.readUInt32LE(next(4))
  const u64 = (): number => Number(file.readBigUInt64LE(next(8)))
  const text = (): string => {
    const from = next(u64())
    return file.toString('utf8', from, at)
  }
  const value = (type: number): unknown => {
    if (type === 4) return u32()
    if (type === 5) return file.readInt32LE(next(4))
    if (type === 6) return file.readFloatLE(next(4))
    if (type === 7) return file[next(1)] === 1
    if (type === 8) return text()
    if (type !== 9) throw new Error(`A fact of type ${type}.`)
    const [of, count] = [u32(), u64()]
    return Array.from({ length: count }, () => value(of))
  }
  if (file.toString('latin1', 0, 4) !== 'GGUF') throw new Error('No GGUF file.')
  at = 4
  if (u32() !== 3) throw new Error('Another version.')
  const [tensorCount, factCount] = [u64(), u64()]
  const facts = new Map<string, unknown>()
  for (let i = 0; i < factCount; i++) {
    const key = text()
    facts.set(key, value(u32()))
  }
  const listed = Array.from({ length: tensorCount }, () => {
    const name = text()
    const shape = Array.from({ length: u32() }, u64).reverse()
    return { name, shape, type: u32(), offset: u64() }
  })
  const from = Math.ceil(at / 32) * 32
  const tensors = new Map(
    listed.map(({ name, shape, type, offset }) => {
      if (offset % 32 !== 0) throw new Error(`${name} is not aligned.`)
      const length = shape.reduce((a, b) => a * b, 1) * (type === 0 ? 4 : 2)
      const bytes = file.subarray(from + offset, from + offset + length)
      if (bytes.length !== length) throw new Error(`${name} is cut off.`)
      return [name, { type, shape, bytes }]
    }),
  )
  return { facts, tensors }
}
