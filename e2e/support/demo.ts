/** Starts the three parties once for all tests, as real processes; `SOTTO_URL` names a page with parties that run already, and `SOTTO_SHOP` the site that embeds it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the page. */
    url: string
    /** Address of the sample site that embeds the page. */
    shop: string
    /** Folder of model bundles. */
    models: string
  }
}

/** Starts `sotto ...args` and resolves with the first address that it prints, which is its own, and with all of that line. */
export function sotto(
  program: string,
  ...args: string[]
): Promise<{ process: ChildProcess; url: string; line: string }> {
  const command = [program, ...args, '--json']
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`sotto ${args.join(' ')} ended with code ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /https?:\/\/[^\s"]+/.exec(line)?.[0]
      if (url) resolve({ process: child, url, line })
    })
  })
}

/** Resolves once a process has ended. */
export async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => child.once('exit', resolve))
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const models = process.env.SOTTO_MODELS ?? (existsSync('public/models') ? 'public/models' : 'models')
  project.provide('models', models)
  const running = process.env.SOTTO_URL
  if (running) {
    project.provide('url', running)
    project.provide('shop', process.env.SOTTO_SHOP ?? '')
    return
  }
  const options = [
    '--models',
    models,
    '--audit',
    '0',
    '--embed-origins',
    'https://one.example,https://two.example',
  ]
  const demo = await sotto('bin/sotto.js', 'demo', '--port', '0', ...options)
  project.provide('url', demo.url)
  project.provide('shop', JSON.parse(demo.line).shop)
  return async () => {
    demo.process.kill('SIGTERM')
    await ended(demo.process)
  }
}
