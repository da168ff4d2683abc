/** Dealer and model server as processes of their own, at addresses that they keep when they are started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { toBase64Url } from '../../../src/handshake/encoding.ts'
import { loadIdentity } from '../../../src/handshake/node/key-file.ts'
import { program } from '../built/path.ts'

export type Party = 'dealer' | 'server'

/** Bundles are in `folder/models`, keys in `folder`. */
export class PartyProcesses {
  readonly #folder: string
  readonly #more: Partial<Record<Party, readonly string[]>>
  readonly #running: Partial<Record<Party, { child: ChildProcess; port: number }>> = {}

  /** @param more arguments of each */
  constructor(folder: string, more: Partial<Record<Party, readonly string[]>> = {}) {
    this.#folder = folder
    this.#more = more
  }

  urlOf(party: Party): string {
    return `http://127.0.0.1:${this.#running[party]!.port}`
  }

  keyOf(party: Party): string {
    return toBase64Url(loadIdentity(this.#keyFile(party)).publicKey)
  }

  /** Starts a party where it was before; resolves when it says that it is ready. */
  async start(party: Party): Promise<void> {
    const where = ['--port', String(this.#running[party]?.port ?? 0), '--key', this.#keyFile(party)]
    const args =
      party === 'dealer'
        ? ['deal', '--allow', this.keyOf('server')]
        : [
            ...['serve', '--models', join(this.#folder, 'models')],
            ...['--dealer', this.urlOf('dealer'), '--dealer-key', this.keyOf('dealer')],
          ]
    const all = [...args, ...where, '--json', '--log-level', 'silent', ...(this.#more[party] ?? [])]
    const child = spawn(process.execPath, [program(), ...all], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout!.once('data', (data) => resolve(String(data)))
      child.once('exit', (code) => reject(new Error(`The ${party} ended with ${code}.`)))
    })
    const port = Number(new URL((JSON.parse(line) as { url: string }).url).port)
    this.#running[party] = { child, port }
  }

  /** Resolves with the exit code once the party has ended. */
  end(party: Party, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    const { child } = this.#running[party]!
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill(signal)
    return gone
  }

  #keyFile(party: Party): string {
    return join(this.#folder, `${party}.pem`)
  }
}
