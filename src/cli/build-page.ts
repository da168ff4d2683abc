/** Builds the page with Vite when a source is newer than the last build. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const pageDir = join(root, 'dist/page')

const sources = [
  'index.html',
  'embed.html',
  'vite.config.ts',
  'scripts/page',
  'package-lock.json',
  'src',
  'shaders',
  'public/page',
]

function newest(path: string): number {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0)
}

export function pageIsStale(): boolean {
  const built = join(pageDir, 'index.html')
  return !existsSync(built) || sources.some((source) => newest(join(root, source)) > statSync(built).mtimeMs)
}

export async function buildPage(): Promise<void> {
  const { build } = await import('vite')
  await build({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' })
}
