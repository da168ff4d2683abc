/** The drawing of the house and the table of imports are those of the folders and of the rules. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'

const drawn = [...readFileSync('docs/images/house.svg', 'utf8').matchAll(/data-path="([^"]+)"/g)].map(
  ([, path]) => path,
)
const page = readFileSync('docs/architecture.md', 'utf8')

const folders = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${path}/${name}`)

it('every room that is drawn exists', () => {
  expect(drawn.filter((path) => !existsSync(path))).toEqual([])
})

it.each(['src', 'src/protections', 'src/protections/shared', 'src/protections/shared/profiles'])(
  'every folder of %s is drawn',
  (path) => {
    expect(folders(path).filter((folder) => !drawn.includes(folder))).toEqual([])
  },
)

it('the table of imports is what the rules say', () => {
  const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
    forbidden: { comment?: string }[]
  }
  const stated = forbidden.flatMap(
    ({ comment }) => comment?.match(/^(\S+) may import (.*)\.$/)?.slice(1, 3) ?? [],
  )
  const [, table] = page.split('| folder | may import from |\n|---|---|\n')
  const rows = table
    .split('\n\n')[0]
    .split('\n')
    .flatMap((row) => row.replaceAll('`', '').split('|').slice(1, 3))
  expect(
    rows.map((cell) =>
      cell
        .trim()
        .replace(/\.ts$/, '')
        .replace(/^nothing$/, 'nothing but itself'),
    ),
  ).toEqual(stated)
})
