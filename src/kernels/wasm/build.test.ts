import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileRing, embed } from './compile.ts'

test('the committed module is what the sources compile to', async () => {
  const bytes = await compileRing()
  const read = (name: string) => readFileSync(new URL(name, import.meta.url))
  expect(Buffer.compare(bytes, read('./ring.wasm'))).toBe(0)
  expect(read('./ring.generated.ts').toString()).toBe(embed(bytes, 'RING_WASM'))
})
