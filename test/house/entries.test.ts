/** What programs import is what the entries promise. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Source } from '../../scripts/api/source.ts'

const { exports, imports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string>
  imports: Record<string, { default: string }>
}

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
    // The engine of a browser: the other one is Node's.
    if (value === '#engine') return needs(Source.read(imports['#engine'].default.slice(2)), seen)
    return value.startsWith('.') ? needs(source.imported(value), seen) : [value]
  })
}

it.each(['src/index.ts', 'src/engine.ts'])('%s needs nothing of Node', (entry) => {
  const packages = [...new Set(needs(Source.read(entry)))]
  expect(packages).toContain('valibot')
  const ofNode = /^node:|^(ws|pino|hono|vite|tsx|onnxruntime-node|node-datachannel|@hono\/|@peculiar\/)/
  expect(packages.filter((name) => ofNode.test(name))).toEqual([])
  // The entry for Node does, and this test would see it.
  expect(needs(Source.read('src/node.ts'))).toEqual(expect.arrayContaining(['node:fs', 'ws']))
})

it('every entry of package.json can be imported by its name', async () => {
  expect(Object.keys(exports)).toEqual(['.', './engine', './node', './protections/shared'])
  const [calls, engine, node, shared] = await Promise.all([
    import('sotto'),
    import('sotto/engine'),
    import('sotto/node'),
    import('sotto/protections/shared'),
  ])
  expect(calls.Sotto).toBeTypeOf('function')
  expect(engine.Owner).toBeTypeOf('function')
  expect(node.startServer).toBeTypeOf('function')
  expect(shared.LocalParties).toBeTypeOf('function')
})
