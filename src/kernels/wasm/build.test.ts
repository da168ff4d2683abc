import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'
import { base64 } from '@scure/base'
import { expect, test } from 'vitest'
import { compileRing } from './compile.ts'
import { RING_WASM } from './ring.generated.ts'

test('the committed module is what the sources compile to', async () => {
  const bytes = await compileRing()
  expect(Buffer.compare(bytes, readFileSync(new URL('./ring.wasm', import.meta.url)))).toBe(0)
  // Releases of Node deflate differently, and inflate alike.
  expect(Buffer.compare(bytes, inflateRawSync(base64.decode(RING_WASM)))).toBe(0)
})
