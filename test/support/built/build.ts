/** Programs of the checkout as bundles: to translate hundreds of sources anew is most of what a short-lived process does. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** What tests start or load in processes of their own. */
const ENTRIES = [
  'src/cli/main.ts',
  'src/cli/common.ts',
  'src/protections/shared/dealer/workers/worker.ts',
  'src/protections/shared/server/encoded-file.ts',
  'test/secrecy/owner-process.ts',
  'test/secrecy/seeded-random.ts',
]

/** Programs that others start, by the words that name them there: the bundle starts itself. */
const STARTED: Readonly<Record<string, readonly [words: string, bundle: string]>> = {
  'src/cli/processes.ts': ["'../../bin/sotto.js'", 'bin/sotto.js'],
  'src/protections/shared/dealer/workers/thread.ts': [
    "'./boot.js'",
    'src/protections/shared/dealer/workers/worker.js',
  ],
}

/** Native modules, and what brings native ones. */
const EXTERNAL = [
  ...['onnxruntime-node', 'node-datachannel', 'bufferutil', 'utf-8-validate', 'node-llama-cpp'],
  ...['vite', 'esbuild', 'playwright'],
]

/** What came as CommonJS asks for parts of Node this way. */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)"

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(path).href)

/** Every other file is found from where the source lies. */
const addresses = (out: string): Plugin => ({
  name: 'addresses',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined
      let contents = readFileSync(path, 'utf8')
      const [words, bundle] = STARTED[relative('.', path)] ?? []
      if (words !== undefined) {
        if (!contents.includes(words)) throw new Error(`${path} does not start ${words}.`)
        contents = contents.replace(words, urlOf(join(out, bundle!)))
      }
      return { contents: contents.replaceAll('import.meta.url', urlOf(path)), loader: 'ts' }
    })
  },
})

/** Writes them to `out`, an absolute path within the checkout, where their packages are found. */
export async function buildPrograms(out: string): Promise<void> {
  await build({
    entryPoints: ENTRIES,
    outbase: '.',
    outdir: out,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    plugins: [addresses(out)],
    logLevel: 'warning',
  })
  mkdirSync(join(out, 'bin'), { recursive: true })
  writeFileSync(join(out, 'bin/sotto.js'), "import '../src/cli/main.js'\n")
}
