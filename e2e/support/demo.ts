/** Starts the three parties once for all tests, as real processes; `SOTTO_URL` names parties that run already. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    url: string
  }
}

/** Starts `sotto ...args` and resolves with the first address that it prints. */
export function sotto(...args: string[]): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['bin/sotto.js', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`sotto ${args.join(' ')} ended with code ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /https?:\/\/[^\s"]+/.exec(line)?.[0]
      if (url) resolve({ process: child, url })
    })
  })
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const running = process.env.SOTTO_URL
  if (running) {
    project.provide('url', running)
    return
  }
  const demo = await sotto('demo', '--port', '0')
  project.provide('url', demo.url)
  return async () => {
    demo.process.kill('SIGTERM')
    await new Promise((resolve) => demo.process.once('exit', resolve))
  }
}
