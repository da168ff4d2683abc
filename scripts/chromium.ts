/** Finds a Chromium for the browser tests, or installs one. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/** The path of a Chromium or Chrome on this machine, or `undefined`. `CHROMIUM_PATH` decides where it is set. */
function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH
  if (given) {
    if (!existsSync(given)) throw new Error(`CHROMIUM_PATH names ${given}, which does not exist.`)
    return given
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = [
    ...names.flatMap((name) => ['/usr/bin', ...folders].map((folder) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    chromium.executablePath(),
  ]
  return candidates.find((path) => existsSync(path))
}

/** Runs a command without input; whether it succeeded. */
function run(command: string, ...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0
}

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Finds or installs one. Throws a plain explanation where neither works. */
export function ensureChromium(): string {
  const found = findChromium()
  if (found) return found
  process.stdout.write('No Chromium on this machine: installing one for the browser tests.\n')
  if (process.getuid?.() === 0 && has('apt-get')) {
    const apt = (...args: string[]) => run('apt-get', '-y', '-qq', ...args)
    if (!apt('install', '--no-install-recommends', 'chromium') && apt('update'))
      apt('install', '--no-install-recommends', 'chromium')
  }
  if (!findChromium()) run(process.execPath, 'node_modules/playwright/cli.js', 'install', 'chromium')
  const installed = findChromium()
  if (installed) return installed
  throw new Error(
    'The browser tests need Chromium or Chrome, and installing one failed. Install it (Debian: apt-get install ' +
      'chromium), or name one with CHROMIUM_PATH=/path/to/chromium.',
  )
}
