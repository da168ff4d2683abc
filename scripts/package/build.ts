/** The library as a package: JavaScript for browsers and for Node, types, and a `package.json` of its own. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { writeTypes } from './types.ts'

/** The worker's file beside the entry, by the name under which esbuild's users make it an entry of theirs. */
const WORKER = 'sotto-worker'

/** Shaders are texts, as `?raw` says. */
const raw: Plugin = {
  name: 'raw',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?raw$/, '')),
      namespace: 'raw',
    }))
    onLoad({ filter: /.*/, namespace: 'raw' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }))
  },
}

/** The worker's address in the form that bundlers know, relative to the file that it ends up in. */
const workerAddress: Plugin = {
  name: 'worker-address',
  setup({ onLoad }) {
    onLoad({ filter: /client[\\/]browser[\\/]engine\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const contents = source.replace("'../../owner/worker.ts'", `'./${WORKER}.js'`)
      if (contents === source) throw new Error(`${path} names no worker.`)
      return { contents, loader: 'ts' }
    })
  },
}

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  target: 'es2023',
  legalComments: 'linked',
  plugins: [raw, workerAddress],
  logLevel: 'warning',
}

/** Native modules, which their users install if they want them. */
const native = ['onnxruntime-node', 'node-datachannel', 'bufferutil']

/** Writes the package to `out`, which is emptied before. Rejects where something cannot be bundled. */
export async function buildPackage(out: string): Promise<void> {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  await Promise.all([
    build({
      ...common,
      entryPoints: { sotto: 'src/index.ts', [WORKER]: 'src/owner/worker.ts' },
      platform: 'browser',
      // The worker exports nothing: without this line nothing in it says that it is a module.
      footer: { js: 'export {}' },
      outdir: out,
    }),
    build({
      ...common,
      entryPoints: { 'sotto-node': 'src/index.ts' },
      platform: 'node',
      // What imports native modules stays a file of its own, which is loaded when they are wanted.
      splitting: true,
      chunkNames: 'node/[name]-[hash]',
      external: native,
      // What came as CommonJS asks for parts of Node this way.
      banner: {
        js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)",
      },
      outdir: out,
    }),
  ])
  writeTypes('src/index.ts', join(out, 'types'))
  writeFileSync(join(out, `${WORKER}.d.ts`), 'export {}\n')
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`)
  for (const file of ['LICENSE', 'NOTICE']) copyFileSync(file, join(out, file))
  // Its links lead to other pages of the checkout.
  const page = readFileSync('docs/library.md', 'utf8').replace(/\[([^\]]+)\]\((?!https:)[^)]+\)/g, '$1')
  writeFileSync(join(out, 'README.md'), page)
}

function manifest(): object {
  const own = JSON.parse(readFileSync('package.json', 'utf8'))
  const { name, version, description, license, type, engines, dependencies, optionalDependencies } = own
  const versions = { ...dependencies, ...optionalDependencies }
  return {
    name,
    version,
    description,
    license,
    type,
    engines,
    sideEffects: false,
    exports: {
      '.': { types: './types/index.d.ts', node: './sotto-node.js', default: './sotto.js' },
      './worker': { types: `./${WORKER}.d.ts`, default: `./${WORKER}.js` },
      './package.json': './package.json',
    },
    types: './types/index.d.ts',
    peerDependencies: Object.fromEntries(native.map((each) => [each, versions[each]])),
    peerDependenciesMeta: Object.fromEntries(native.map((each) => [each, { optional: true }])),
  }
}
