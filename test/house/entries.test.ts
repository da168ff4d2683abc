/** What programs import is what the entries promise. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Source } from '../../scripts/api/source.ts'

/** Packages and parts of Node that a module needs when it runs, all that it imports included. */
function needs(source: Source, seen = new Set<string>()): string[] {
  if (seen.has(source.path)) return []
  seen.add(source.path)
  return source.statements.flatMap((statement) => {
    const isImport = statement.type === 'ImportDeclaration' && statement.importKind !== 'type'
    const isExport =
      (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportAllDeclaration') &&
      statement.exportKind !== 'type'
    if ((!isImport && !isExport) || !statement.source) return []
    const { value } = statement.source
    return value.startsWith('.') ? needs(source.imported(value), seen) : [value]
  })
}

it('the entry for browsers needs nothing of Node', () => {
  const packages = [...new Set(needs(Source.read('src/index.ts')))]
  expect(packages).toContain('valibot')
  const ofNode = /^node:|^(ws|pino|hono|vite|tsx|onnxruntime-node|node-datachannel|@hono\/|@peculiar\/)/
  expect(packages.filter((name) => ofNode.test(name))).toEqual([])
  // The entry for Node does, and this test would see it.
  expect(needs(Source.read('src/node.ts'))).toEqual(expect.arrayContaining(['node:fs', 'ws']))
})

it('every entry of package.json can be imported by its name', async () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string> }
  expect(Object.keys(exports)).toEqual(['.', './node', './protections/shared'])
  const [browser, node, shared] = await Promise.all([
    import('sotto'),
    import('sotto/node'),
    import('sotto/protections/shared'),
  ])
  expect(browser.Owner).toBeTypeOf('function')
  expect(node.startServer).toBeTypeOf('function')
  expect(shared.LocalParties).toBeTypeOf('function')
})
