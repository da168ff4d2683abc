/** What a visitor downloads before the first word, without the model. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const assets = 'dist/page/assets'
const all = readdirSync(assets).filter((name) => name.endsWith('.js'))
const sizeOf = (name: string): number => gzipSync(readFileSync(join(assets, name))).length

/** Scripts of the page that a text names, and those that these name; without those `later`. */
function named(text: string, later: RegExp, found = new Set<string>()): Set<string> {
  for (const name of all) {
    if (found.has(name) || later.test(name) || !text.includes(name)) continue
    found.add(name)
    named(readFileSync(join(assets, name), 'utf8'), later, found)
  }
  return found
}

/** Loaded when they are used: in another language than English, with the first reply, its code or formula; with models that have what most have not. */
const later = /^(classify|settings|markdown|de|fr|es|ar|code|maths|template|connect|ed25519|workshop)-/

it('the chat’s scripts take less than 200 KB, the worker’s included; classifying and formatting take another 30 each', () => {
  const chat = named(readFileSync('dist/page/index.html', 'utf8'), later)
  const total = [...chat].reduce((sum, name) => sum + sizeOf(name), 0)
  expect([...chat].some((name) => name.startsWith('worker-'))).toBe(true)
  expect(total).toBeLessThan(200_000)
  for (const part of ['classify-', 'markdown-']) {
    const scripts = all.filter((name) => name.startsWith(part))
    expect(scripts, part).toHaveLength(1)
    expect(sizeOf(scripts[0]), part).toBeLessThan(30_000)
  }
})

it('no other size counts twice: every script that is loaded later is one of the page’s', () => {
  const names = all.map((name) => later.exec(name)?.[1]).filter((name) => name !== undefined)
  expect([...new Set(names)].sort()).toEqual(later.source.match(/\w{2,}/g)?.sort())
})
