/** Run by `npm run build:wasm`: compiles assembly/ to tiles.generated.ts. */
import { writeFileSync } from 'node:fs'
import { compileTiles, embedTiles } from './compile.ts'

const bytes = await compileTiles()
writeFileSync(new URL('./tiles.generated.ts', import.meta.url), embedTiles(bytes))
console.log(`tiles: ${bytes.length} bytes`)
