/** The types of an entry and of what it reaches, as declaration files. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative, resolve } from 'node:path'

/** What a declaration file imports or passes on. */
const SPECIFIER = /(?<=(?:from |import\()')(\.{1,2}\/[^']+)\.ts(?=')/g

/** Writes them to `out`, with the names that programs in JavaScript import each other by. Throws where they do not compile. */
export function writeTypes(entry: string, out: string): void {
  // Inside the checkout, where its packages of types are found.
  mkdirSync('.cache', { recursive: true })
  const made = mkdtempSync(join('.cache', 'types-'))
  try {
    const options = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: resolve(made),
      rootDir: resolve('src'),
    }
    const config = join(made, 'tsconfig.json')
    const root = relative(made, 'tsconfig.json')
    writeFileSync(
      config,
      JSON.stringify({ extends: root, compilerOptions: options, include: [], files: [resolve(entry)] }),
    )
    const { status, stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', config])
    if (status !== 0) throw new Error(`The types of ${entry} cannot be made.\n${stdout}`)
    copyReached(made, `${relative('src', entry).replace(/\.ts$/, '')}.d.ts`, out)
  } finally {
    rmSync(made, { recursive: true })
  }
}

function copyReached(from: string, file: string, to: string, seen = new Set<string>()): void {
  if (seen.has(file)) return
  seen.add(file)
  const text = readFileSync(join(from, file), 'utf8')
  mkdirSync(dirname(join(to, file)), { recursive: true })
  writeFileSync(join(to, file), text.replace(SPECIFIER, '$1.js'))
  for (const [, path] of text.matchAll(SPECIFIER))
    copyReached(from, `${normalize(join(dirname(file), path))}.d.ts`, to, seen)
}
