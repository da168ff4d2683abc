/** What a visitor downloads before the first word, without the model. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { withImports } from '../scripts/page/static-imports.ts'

const assets = 'dist/page/assets'
const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'))
const text = (name: string): string => readFileSync(join(assets, name), 'utf8')
const sizeOf = (name: string): number => gzipSync(text(name)).length
const called = (...starts: string[]): string[] =>
  scripts.filter((name) => starts.some((start) => name.startsWith(start)))

const withAll = (names: readonly string[]): Set<string> => withImports(names, text)

const total = (names: Iterable<string>): number => [...names].reduce((sum, name) => sum + sizeOf(name), 0)

const page = readFileSync('dist/page/index.html', 'utf8')
/** The page's own, the engine's, and what computes on a GPU. */
const chat = withAll([...scripts.filter((name) => page.includes(name)), ...called('worker-', 'device-')])

it('until the first message scripts take less than 200 KB, the worker’s and the GPU’s included', () => {
  expect([...chat].map((name) => name.split('-')[0])).toEqual(
    expect.arrayContaining(['index', 'worker', 'device']),
  )
  expect(total(chat)).toBeLessThan(200_000)
})

it('a reply takes no more than 45 KB beside, where it has neither code nor formulas', () => {
  const reply = [...withAll(called('markdown-', 'template-'))].filter((name) => !chat.has(name))
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
  expect(total([...withAll([view])].filter((name) => !chat.has(name)))).toBeLessThan(most)
})
