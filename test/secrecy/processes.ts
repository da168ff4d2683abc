/** The three real processes under a fixed key, with a tap on each of the three wires. */

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { join } from 'node:path'
import { pageConfig } from '../../src/cli/page-config.ts'
import { toBase64Url } from '../../src/handshake/encoding.ts'
import { loadIdentity } from '../../src/handshake/node/key-file.ts'
import { builtPath, program } from '../support/built/path.ts'
import type { Done, Job } from './owner-process.ts'
import { type Tap, tap } from './tap.ts'

const preload = () => ['--import', builtPath('test/secrecy/seeded-random.ts')]

/** A greeting that takes longer comes from a server that is not near, so owners take the plans of few hops. */
const FAR_MS = 20

export interface Wires {
  readonly ownerServer: Tap
  readonly ownerDealer: Tap
  readonly serverDealer: Tap
}

export interface TestProcesses {
  readonly wires: Wires
  /** Runs an owner to its end; resolves with the ids of its replies. */
  owner(job: Omit<Job, 'peers' | 'model'>, environment?: NodeJS.ProcessEnv): Promise<number[][][]>
  stop(): Promise<void>
}

/** Starts dealer and server. `folder` holds the models, in `models`, and the identity keys, made on the first run. */
export async function startTestProcesses(folder: string, seed: string): Promise<TestProcesses> {
  const children: ChildProcess[] = []
  const keyFile = (party: string): string => join(folder, `${party}.pem`)
  const keyOf = (party: string): string => toBase64Url(loadIdentity(keyFile(party)).publicKey)
  const environment = (party: string): NodeJS.ProcessEnv => ({
    ...process.env,
    SOTTO_TEST_SEED: `${seed} ${party}`,
  })
  const start = (party: string, args: string[]): Promise<string> => {
    const common = ['--port', '0', '--key', keyFile(party), '--json', '--log-level', 'error']
    const child = spawn(process.execPath, [...preload(), program(), ...args, ...common], {
      cwd: folder,
      env: environment(party),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return new Promise((resolve, reject) => {
      child.stdout.once('data', (data) => resolve((JSON.parse(String(data)) as { url: string }).url))
      child.once('exit', (code) => reject(new Error(`The ${party} ended with ${code}.`)))
    })
  }
  const taps: Tap[] = []
  const tapped = async (url: string, holdMs?: number): Promise<Tap> => {
    const made = await tap(url, holdMs)
    taps.push(made)
    return made
  }
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended))
    for (const made of taps) made.close()
  }
  try {
    // On its main thread: no other one has the generator of the test.
    const dealer = await start('dealer', ['deal', '--workers', '0', '--allow', keyOf('server')])
    const serverDealer = await tapped(dealer)
    const pinned = ['--dealer', serverDealer.url, '--dealer-key', keyOf('dealer')]
    const server = await start('server', ['serve', '--models', join(folder, 'models'), ...pinned])
    const wires = {
      serverDealer,
      ownerServer: await tapped(server, FAR_MS),
      ownerDealer: await tapped(dealer),
    }
    const pinnedDealer = { url: wires.ownerDealer.url, key: keyOf('dealer') }
    const peers = pageConfig(wires.ownerServer.url, pinnedDealer, 0)
    const owner: TestProcesses['owner'] = (job, more) =>
      new Promise((resolve, reject) => {
        const env = { ...environment('owner'), ...more }
        const child = fork(builtPath('test/secrecy/owner-process.ts'), [], { execArgv: preload(), env })
        children.push(child)
        child.once('message', (done: Done) => {
          if ('replies' in done) resolve(done.replies)
          else reject(new Error(done.error))
        })
        child.once('exit', (code) => reject(new Error(`The owner ended with ${code}.`)))
        child.send({ ...job, peers, model: 'tiny' } satisfies Job)
      })
    return { wires, owner, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
