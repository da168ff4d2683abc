import { fileURLToPath } from 'node:url'
import { compile, embed } from '../../../src/kernels/wasm/compile.ts'

/** Compiles the AssemblyScript sources in memory; the same sources give the same bytes. Throws the compiler's messages. */
export const compileTiles = (): Promise<Uint8Array> =>
  compile(fileURLToPath(new URL('./assembly', import.meta.url)))

/** The TypeScript module that carries the bytes. */
export const embedTiles = (bytes: Uint8Array): string => embed(bytes, 'TILES_WASM')
