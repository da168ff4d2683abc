/** What is done to the built page last: hashes of its scripts and styles, and a service worker that knows every file. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { build, type Plugin } from 'vite'
import { INDEX, type Shell } from '../../src/app/offline/shell.ts'
import { withIntegrity } from './integrity.ts'
import { withImports } from './static-imports.ts'

const WORKER = 'service-worker'

/** One script under a name that stays, beside the page. */
export const buildScript = (outDir: string, entry: string, name: string, define = {}): Promise<unknown> =>
  build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define,
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2023',
      lib: { entry, formats: ['iife'], name: 'sotto', fileName: () => `${name}.js` },
    },
  })

/** Every file below a folder, by its path there. */
function filesIn(dir: string): Map<string, Buffer> {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  return new Map(paths.map((path) => [relative(dir, path).split(sep).join('/'), readFileSync(path)]))
}

const integrityOf = (bytes: Buffer): string => `sha384-${createHash('sha384').update(bytes).digest('base64')}`

/** Below the page, where scripts are. */
const ASSETS = 'assets/'

/** What the page names, what shows a reply, what erases all, the other languages, and what those import: enough to read what is kept, and to erase it. */
export function shellOf(files: ReadonlyMap<string, Buffer>): Shell {
  const hashes = Object.fromEntries([...files].map(([path, bytes]) => [path, integrityOf(bytes)]))
  const version = createHash('sha256').update(JSON.stringify(hashes)).digest('hex').slice(0, 16)
  const index = files.get(INDEX)?.toString() ?? ''
  const named = [...files.keys()].filter(
    (path) =>
      path === INDEX ||
      index.includes(`./${path}"`) ||
      /^assets\/(markdown|settings|lock-screen|de|fr|es|ar)-/.test(path),
  )
  const isScript = (path: string): boolean => path.startsWith(ASSETS) && path.endsWith('.js')
  const scripts = named.filter(isScript).map((path) => path.slice(ASSETS.length))
  const imported = withImports(scripts, (name) => files.get(ASSETS + name)?.toString() ?? '')
  const first = new Set([...named, ...Array.from(imported, (name) => ASSETS + name)])
  return { version, files: hashes, first: [...first].filter((path) => files.has(path)).sort() }
}

/** Runs when everything else is written. */
export const finish = (outDir: string): Plugin => ({
  name: 'finish-page',
  apply: 'build',
  closeBundle: {
    order: 'post',
    sequential: true,
    async handler() {
      const files = filesIn(outDir)
      for (const [path, bytes] of files) {
        if (!path.endsWith('.html')) continue
        const html = withIntegrity(bytes.toString(), (file) => {
          const found = files.get(file)
          return found && integrityOf(found)
        })
        writeFileSync(join(outDir, path), html)
        files.set(path, Buffer.from(html))
      }
      // Nothing of these is the chat's own.
      for (const path of ['embed.html', 'sotto-widget.js', `${WORKER}.js`]) files.delete(path)
      const define = { __SHELL__: JSON.stringify(shellOf(files)) }
      await buildScript(outDir, 'src/app/offline/service-worker.ts', WORKER, define)
    },
  },
})
