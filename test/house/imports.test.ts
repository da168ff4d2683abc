/** The rules of `.dependency-cruiser.cjs` are kept by what stands, and see what is planted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseOptions, type IForbiddenRuleType } from 'dependency-cruiser'
import { afterEach, beforeEach, expect, it } from 'vitest'

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: IForbiddenRuleType[]
  options: ICruiseOptions
}

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sotto-house-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Names of the rules that a tree of files breaks. */
async function broken(files: Record<string, string>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const folders = [...new Set(Object.keys(files).map((path) => path.split('/')[0]))]
  const { output } = await cruise(folders, {
    ...options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden },
  })
  if (typeof output === 'string') throw new Error(output)
  return [...new Set(output.summary.violations.map(({ rule }) => rule.name))].sort()
}

const leaf = 'export const leaf = 1\n'
const importing = (path: string): string => `export { leaf } from '${path}'\n`

it('finds nothing where imports go down', async () => {
  const files = { 'src/app/a.ts': importing('../owner/b.ts'), 'src/owner/b.ts': leaf }
  expect(await broken(files)).toEqual([])
})

it.each([
  ['upwards', 'src/kernels/a.ts', 'src/app/b.ts', 'src/kernels-sees-only-what-is-below'],
  [
    'from a floor of secret sharing to one above it',
    'src/protections/shared/ops/a.ts',
    'src/protections/shared/session/b.ts',
    'floor-3-of-secret-sharing-sees-only-what-is-below',
  ],
  ['of scaffolding', 'src/model/a.ts', 'test/support/b.ts', 'no-scaffolding-in-the-product'],
  [
    'from one protection to another',
    'src/protections/clear/a.ts',
    'src/protections/shared/b.ts',
    'protections-do-not-know-each-other',
  ],
  [
    'past the door of a protection',
    'src/owner/a.ts',
    'src/protections/shared/b.ts',
    'a-protection-is-known-by-its-door',
  ],
  [
    'past the door of a profile',
    'src/protections/shared/session/a.ts',
    'src/protections/shared/profiles/fixed/b.ts',
    'a-profile-is-known-by-its-door',
  ],
])('finds a planted import %s', async (_, from, to, rule) => {
  const up = '../'.repeat(from.split('/').length - 1)
  expect(await broken({ [from]: importing(`${up}${to}`), [to]: leaf })).toContain(rule)
})

it('finds a planted circle, of types alone too', async () => {
  const files = {
    'src/model/a.ts': "import type { B } from './b.ts'\nexport interface A {\n  b: B\n}\n",
    'src/model/b.ts': "import type { A } from './a.ts'\nexport interface B {\n  a: A\n}\n",
  }
  expect(await broken(files)).toEqual(['no-circles'])
})
