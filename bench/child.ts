/** Child processes that answer requests, one at a time, over Node's own channel. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { partyFlags } from '../src/cli/processes.ts'

interface Request {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** A started process; `call` runs one of its methods. */
export interface Child {
  readonly pid: number
  call<T>(method: string, argument?: unknown): Promise<T>
  stop(): Promise<void>
}

/** Starts `bench/<file>`, which must `serve`, with arguments. Calls reject when it fails or ends. */
export function startChild(file: string, args: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url))
  // Arrays of numbers travel as they are, not as JSON.
  const child = fork(path, args, {
    // `node --cpu-prof bin/sotto.js bench ...` profiles all parties.
    execArgv: [
      ...process.execArgv.filter((f) => f.startsWith('--cpu-prof')),
      ...partyFlags,
      '--import',
      import.meta.resolve('tsx'),
    ],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let next = 1
  let ended: Error | undefined
  child.on('message', ({ id, result, error }: Answer) => {
    const call = open.get(id)
    open.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(`${file}: ${error}`))
  })
  child.once('exit', (code, signal) => {
    ended = new Error(`${file} has ended (${signal ?? `exit code ${code}`}).`)
    for (const { reject } of open.values()) reject(ended)
  })
  return {
    pid: child.pid!,
    call: <T>(method: string, argument?: unknown) =>
      new Promise<T>((resolve, reject) => {
        if (ended) return reject(ended)
        open.set(next, { resolve: resolve as (value: unknown) => void, reject })
        child.send({ id: next++, method, argument } satisfies Request)
      }),
    stop: () => stopChild(child),
  }
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const insist = setTimeout(() => child.kill('SIGKILL'), 3000)
    child.once('exit', () => {
      clearTimeout(insist)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** What a process has used so far. */
export interface Usage {
  /** Processor time of all its threads. */
  cpuSeconds: number
  /** Its largest resident set. */
  peakBytes: number
}

export function usage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 }
}

/** The other end: answers every request with what its method returns. */
export function serve(methods: Record<string, (argument: never) => unknown>): void {
  process.on('message', async ({ id, method, argument }: Request) => {
    try {
      process.send?.({ id, result: await methods[method](argument as never) } satisfies Answer)
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      process.send?.({ id, error: text } satisfies Answer)
    }
  })
  process.once('disconnect', () => process.exit(0))
  process.once('SIGTERM', () => process.exit(0))
}
