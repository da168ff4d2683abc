/** Starts dealer and model server as processes of their own, as `sotto demo` and local runs of `sotto complete` need. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toBase64Url } from '../handshake/encoding.ts'
import { loadIdentity } from '../handshake/node/key-file.ts'
import { stateDir } from './common.ts'

const program = fileURLToPath(new URL('../../bin/sotto.js', import.meta.url))

export interface ProcessOptions {
  models: string
  /** Folders of veiled models that the server has, too. */
  veiled?: readonly string[]
  /** Where its evidence of an enclave comes from. */
  attest?: string
  /** The dealer's split bundles. */
  dealerModels?: string
  /** The dealer's limit for one address. */
  rowsPerHour?: number
  host: string
  /** 0 takes free ones. */
  serverPort: number
  dealerPort: number
  origins: readonly string[]
  /** Names under which both are visited, besides addresses and `localhost`. */
  names?: readonly string[]
  /** Passed on to both: `--https` or `--cert` and `--cert-key`. */
  tlsArgs: readonly string[]
  /** Certificate that the server trusts for the dealer. */
  dealerCa?: string
  logLevel: string
  /** Where identity keys are kept. */
  keys?: string
}

export interface Processes {
  server: { url: string; key: string; pid: number; models: string[] }
  dealer: { url: string; key: string; pid: number }
  /** Settles when one of them ends by itself, with why. */
  ended: Promise<string>
  stop(): Promise<void>
}

interface Ready {
  url: string
  key: string
  pid: number
  models?: string[]
}

/**
 * For processes that compute passes. Their heaps are small and their arrays large, so collections are many and short: in
 * threads of their own, or in steps, they cost more than they save. Half again as fast on two cores.
 */
export const partyFlags = ['--single-threaded-gc', '--no-incremental-marking']

/** What a model server of veiled models alone is started with. */
export interface VeiledProcess {
  clouds: readonly string[]
  engine?: string
  logLevel: string
  keys: string
}

/** Starts a model server that has no dealer, on any free port of this machine. Rejects when it fails to start. */
export async function startVeiledProcess({
  clouds,
  engine,
  logLevel,
  keys,
}: VeiledProcess): Promise<{ url: string; pid: number; stop: () => Promise<void> }> {
  const args = [
    ...['serve', '--port', '0', '--log-level', logLevel, '--key', join(keys, 'server.pem')],
    ...clouds.flatMap((cloud) => ['--veiled', cloud]),
    ...(engine === undefined ? [] : ['--engine', engine]),
  ]
  const child = forkProgram(args)
  try {
    const { url, pid } = await untilReady(child, 'model server')
    return { url, pid, stop: () => stopChild(child) }
  } catch (error) {
    await stopChild(child)
    throw error
  }
}

const forkProgram = (args: readonly string[]): ChildProcess =>
  fork(program, args, {
    execArgv: [...process.execArgv, ...partyFlags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })

/** Resolves when the server is connected to the dealer. Rejects, with everything stopped, when one fails to start. */
export async function startProcesses(options: ProcessOptions): Promise<Processes> {
  const { host, origins, tlsArgs, logLevel, keys = stateDir } = options
  const children: ChildProcess[] = []
  const common = [
    '--host',
    host,
    '--log-level',
    logLevel,
    ...tlsArgs,
    ...origins.flatMap((origin) => ['--origin', origin]),
    ...(options.names ?? []).flatMap((name) => ['--name', name]),
  ]
  const start = (name: string, args: string[]) => {
    const child = forkProgram([name, ...common, ...args])
    children.push(child)
    return child
  }
  const stop = () => Promise.all(children.map(stopChild)).then(() => undefined)
  try {
    const serverKeyFile = join(keys, 'server.pem')
    const serverKey = toBase64Url(loadIdentity(serverKeyFile).publicKey)
    const dealerArgs = [
      '--port',
      String(options.dealerPort),
      '--key',
      join(keys, 'dealer.pem'),
      '--allow',
      serverKey,
      ...(options.rowsPerHour === undefined ? [] : ['--rows-per-hour', String(options.rowsPerHour)]),
      ...(options.dealerModels === undefined ? [] : ['--models', options.dealerModels]),
    ]
    const dealerChild = start('deal', dealerArgs)
    const dealer = await untilReady(dealerChild, 'dealer')
    const trust = options.dealerCa ? ['--dealer-ca', options.dealerCa] : []
    const dealerAddress = ['--dealer', dealer.url, '--dealer-key', dealer.key, ...trust]
    const where = ['--models', options.models, '--port', String(options.serverPort), '--key', serverKeyFile]
    const veiled = (options.veiled ?? []).flatMap((cloud) => ['--veiled', cloud])
    const attest = options.attest === undefined ? [] : ['--attest', options.attest]
    const serverChild = start('serve', [...where, ...dealerAddress, ...veiled, ...attest])
    const server = await untilReady(serverChild, 'model server')
    return {
      dealer,
      server: { ...server, models: server.models ?? [] },
      ended: Promise.race([untilExit(dealerChild, 'dealer'), untilExit(serverChild, 'model server')]),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Calls `use` with a folder for identity keys that nobody needs afterwards. */
export async function withKeys<T>(use: (keys: string) => Promise<T>): Promise<T> {
  const keys = mkdtempSync(join(tmpdir(), 'sotto-keys-'))
  try {
    return await use(keys)
  } finally {
    rmSync(keys, { recursive: true, force: true })
  }
}

/** Calls `use` with a dealer and a server of our own, on this machine and with new keys, and stops them after it. */
export const withProcesses = <T>(
  options: Pick<ProcessOptions, 'models' | 'rowsPerHour'>,
  use: (parties: Processes) => Promise<T>,
): Promise<T> =>
  withKeys(async (keys) => {
    const parties = await startProcesses({
      ...options,
      host: '127.0.0.1',
      serverPort: 0,
      dealerPort: 0,
      origins: [],
      tlsArgs: [],
      logLevel: 'error',
      keys,
    })
    try {
      return await use(parties)
    } finally {
      await parties.stop()
    }
  })

function untilReady(child: ChildProcess, name: string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: Partial<Ready> & { ready?: true }) => {
      const { ready, ...facts } = message
      if (ready) resolve(facts as Ready)
    })
    void untilExit(child, name).then((why) => reject(new Error(why)))
  })
}

const untilExit = (child: ChildProcess, name: string): Promise<string> =>
  new Promise((resolve) =>
    child.once('exit', (code, signal) =>
      resolve(`The ${name} has ended (${signal ?? `exit code ${code}`}).`),
    ),
  )

/** Asks, waits three seconds, insists. */
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
