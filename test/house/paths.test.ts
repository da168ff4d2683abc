/** Pointers in documents and comments point at what exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, it } from 'vitest'

const TOP = [
  'src',
  'tools',
  'test',
  'bench',
  'e2e',
  'scripts',
  'examples',
  'docs',
  'shaders',
  'models',
  'public',
  'bin',
]
const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`)
/** Files and folders. */
const paths = [...TOP, ...TOP.flatMap(below)]

/** A changelog tells of what was, too. */
const documents = [...readdirSync('.'), ...paths].filter(
  (path) => /\.md$/.test(path) && path !== 'CHANGELOG.md',
)
const sources = paths.filter((path) => /\.ts$/.test(path) && !/\.generated\.|^models|house\/paths/.test(path))

const POINTER = new RegExp(`(?<![\\w./@-])(?:${TOP.join('|')})/[\\w./*{},-]*[\\w/*}]`, 'g')

/** Files by their names, or by the ends of their paths, which may be in any folder. */
const NAME = /`([\w/-]+\.(?:ts|md|wgsl))`/g
/** What readers are to make themselves. */
const made = /^models\/mine|\/NAME\b/

/** Paths from the root that a text names. */
const pointers = (text: string): string[] =>
  [...text.matchAll(POINTER)].map(([path]) => path).filter((path) => !made.test(path))

const names = (text: string): string[] =>
  [...text.matchAll(NAME)].map(([, name]) => name).filter((name) => !made.test(name))

/** `*` stands for a part of a name, `{a,b}` for each of them. */
const exists = (path: string): boolean =>
  path.includes('{')
    ? [...path.matchAll(/\{([^}]*)\}/g)][0][1]
        .split(',')
        .every((one) => exists(path.replace(/\{[^}]*\}/, one)))
    : paths.some((known) =>
        new RegExp(`^${path.replace(/\/$/, '').split('*').map(escaped).join('[^/]*')}$`).test(known),
      )

const escaped = (text: string): string => text.replace(/[.+()[\]]/g, '\\$&')

const commentsOf = (source: string): string =>
  [...source.matchAll(/\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm)].map(([comment]) => comment).join('\n')

/** A file's pointers that lead nowhere. */
const astray = (file: string, text: string): string[] =>
  pointers(text)
    .filter((path) => !exists(path))
    .concat(names(text).filter((name) => !paths.some((path) => `/${path}`.endsWith(`/${name}`))))
    .filter((path, i, all) => all.indexOf(path) === i)
    .map((path) => `${file}: ${path}`)

it('in documents', () => {
  expect(documents.flatMap((file) => astray(file, readFileSync(file, 'utf8')))).toEqual([])
})

it('in comments', () => {
  expect(sources.flatMap((file) => astray(file, commentsOf(readFileSync(file, 'utf8'))))).toEqual([])
})

it('in links between documents, down to their headings', () => {
  const broken = documents.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
      .map(([, link, attribute]) => link ?? attribute)
      .filter((link) => !/^[a-z]+:/.test(link) && !leads(file, link))
      .map((link) => `${file}: ${link}`),
  )
  expect(broken).toEqual([])
})

function leads(from: string, link: string): boolean {
  const [path, heading] = link.split('#')
  const target = path === '' ? from : normalize(join(dirname(from), path))
  if (!existsSync(target)) return false
  return heading === undefined || headings(readFileSync(target, 'utf8')).includes(heading)
}

/** Anchors of a document's headings, as GitHub makes them. */
const headings = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text]) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )

it('would notice', () => {
  expect(
    astray('x', '`src/nowhere.ts`, `none.ts`, src/index.ts, docs/{api,models}.md, docs/{api,none}.md.'),
  ).toEqual(['x: src/nowhere.ts', 'x: docs/{api,none}.md', 'x: none.ts'])
  expect(leads('README.md', 'docs/api.md#sottonode')).toBe(true)
  expect(leads('README.md', 'docs/api.md#sotto-nowhere')).toBe(false)
  expect(commentsOf('const a = 1 // docs/a.md\n/** docs/b.md */')).toContain('docs/b.md')
})
