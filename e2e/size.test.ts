/** What a visitor downloads before the first word, without the model. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const assets = 'dist/page/assets'
const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'))
const sizeOf = (name: string): number => gzipSync(readFileSync(join(assets, name))).length

/** Scripts of the page that a text names, and those that these name; without `views`, which are loaded when they are opened. */
function named(text: string, views: RegExp, found = new Set<string>()): Set<string> {
  for (const name of scripts) {
    if (found.has(name) || views.test(name) || !text.includes(name)) continue
    found.add(name)
    named(readFileSync(join(assets, name), 'utf8'), views, found)
  }
  return found
}

it('the chat’s scripts take less than 275 KB, the worker’s included; classifying takes another 30', () => {
  const chat = named(readFileSync('dist/page/index.html', 'utf8'), /^(classify|attest)-/)
  const total = [...chat].reduce((sum, name) => sum + sizeOf(name), 0)
  expect([...chat].some((name) => name.startsWith('worker-'))).toBe(true)
  expect(total).toBeLessThan(275_000)
  const views = scripts.filter((name) => name.startsWith('classify-'))
  expect(views).toHaveLength(1)
  expect(sizeOf(views[0])).toBeLessThan(30_000)
})
