/** What a visitor downloads before the first word, without the model. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

it('the page’s scripts take less than 300 KB', () => {
  const dir = 'dist/page/assets'
  const scripts = readdirSync(dir).filter((name) => name.endsWith('.js'))
  const bytes = scripts.map((name) => gzipSync(readFileSync(join(dir, name))).length)
  expect(scripts.length).toBeGreaterThan(1)
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000)
})
