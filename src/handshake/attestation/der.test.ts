import { expect, test } from 'vitest'
import { checkSpelling } from './der.ts'

const element = (tag: number, body: readonly number[], length = [body.length]): number[] => [
  tag,
  ...length,
  ...body,
]
/** An algorithm, said twice, around 90 bytes of something. */
const certificate = (length: readonly number[]): Uint8Array => {
  const algorithm = element(0x30, [5, 0])
  const inside = element(0x30, [...element(2, [1]), ...algorithm])
  const signature = element(3, [0, ...new Array<number>(128 - inside.length - algorithm.length - 3).fill(7)])
  return Uint8Array.from(element(0x30, [...inside, ...algorithm, ...signature], [...length]))
}

test('a length of 128 is written in two bytes, and 0x80 is none', () => {
  expect(() => checkSpelling(certificate([0x81, 0x80]))).not.toThrow()
  expect(() => checkSpelling(certificate([0x80]))).toThrow('not as the standard has it')
})
