/** What a visitor downloads before the first word, without the model. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'

const assets = 'dist/page/assets'
const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'))
const text = (name: string): string => readFileSync(join(assets, name), 'utf8')
const sizeOf = (name: string): number => gzipSync(text(name)).length
const called = (...starts: string[]): string[] =>
  scripts.filter((name) => starts.some((start) => name.startsWith(start)))

/** Scripts and those that they import at once, as opposed to when something is done. */
function withImports(names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue
    found.add(name)
    const imported = [...text(name).matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)]
    withImports(
      imported.map(([, other]) => other),
      found,
    )
  }
  return found
}

const total = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + sizeOf(name), 0)

const page = readFileSync('dist/page/index.html', 'utf8')
/** The page's own, the engine's, and what computes on a GPU. */
const chat = withImports([...scripts.filter((name) => page.includes(name)), ...called('worker-', 'device-')])

it('until the first message scripts take less than 200 KB, the worker’s and the GPU’s included', () => {
  expect([...chat].map((name) => name.split('-')[0])).toEqual(
    expect.arrayContaining(['index', 'worker', 'device']),
  )
  expect(total(chat)).toBeLessThan(200_000)
})

it('a reply takes no more than 45 KB beside, where it has neither code nor formulas', () => {
  const reply = [...withImports(called('markdown-', 'template-'))].filter((name) => !chat.has(name))
  expect(reply.map((name) => name.split('-')[0]).sort()).toEqual(['markdown', 'template'])
  expect(total(reply)).toBeLessThan(45_000)
})

it.each([
  ['code-', 55_000],
  ['maths-', 80_000],
  ['classify-', 36_000],
  ['markdown-', 30_000],
  ['settings-', 12_000],
  ['de-', 12_000],
])('%s takes its own when it is opened, and no more than %i bytes of it', (start, most) => {
  const [view, ...others] = called(start)
  expect(others).toEqual([])
  expect(chat.has(view)).toBe(false)
  expect(total([...withImports([view])].filter((name) => !chat.has(name)))).toBeLessThan(most)
})
