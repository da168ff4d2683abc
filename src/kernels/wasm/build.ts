/** Run by `tsx src/kernels/wasm/build.ts`: compiles assembly/ to ring.wasm and ring.generated.ts. */
import { writeFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { compileRing, embed } from './compile.ts'

const bytes = await compileRing()
writeFileSync(new URL('./ring.wasm', import.meta.url), bytes)
writeFileSync(
  new URL('./ring.generated.ts', import.meta.url),
  embed(deflateRawSync(bytes, { level: 9 }), 'RING_WASM', 'Deflated,'),
)
console.log(`ring.wasm: ${bytes.length} bytes`)
