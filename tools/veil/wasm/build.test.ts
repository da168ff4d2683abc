import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileTiles, embedTiles } from './compile.ts'

test('the committed module is what the sources compile to', async () => {
  const written = readFileSync(new URL('./tiles.generated.ts', import.meta.url)).toString()
  expect(written).toBe(embedTiles(await compileTiles()))
})
