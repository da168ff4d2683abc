/** Where a server's evidence comes from: a program of the enclave that it runs in, or a simulator. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { newChannelKey } from '../../../handshake/attestation/channel.ts'
import { parseEvidence } from '../../../handshake/attestation/evidence.ts'
import { reportDataOf } from '../../../handshake/attestation/sev-snp.ts'
import { simulateEvidence } from '../../../handshake/attestation/simulate.ts'
import { toHex } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { loadIdentity } from '../../../handshake/node/key-file.ts'
import { evidenceIn } from '../../../handshake/node/read-evidence.ts'
import type { Attester } from './attested-greeting.ts'
import { EngineError } from './engine.ts'

/** What a program may take, and print. */
const PROGRAM_MS = 8000
const EVIDENCE_BYTES = 256 * 1024
/** Programs at once; who comes later waits. */
const AT_ONCE = 4

/**
 * Of a file with a simulator's key (`sotto attest simulate`), or else of a command, which a shell runs for each session:
 * its surroundings have SOTTO_NONCE, SOTTO_CHANNEL_KEY and, for SEV-SNP, SOTTO_REPORT_DATA, all in hexadecimal. Rejects with
 * {@link EngineError} for a key that is not there.
 */
export async function attesterOf(fileOrCommand: string): Promise<Attester> {
  const key = await newChannelKey()
  if (fileOrCommand.endsWith('.pem')) {
    if (!existsSync(fileOrCommand))
      throw new EngineError(`There is no ${fileOrCommand}: sotto attest simulate makes one.`)
    const identity = loadIdentity(fileOrCommand)
    return {
      ...{ key, name: 'a simulator, which nothing vouches for' },
      evidence: (nonce) => simulateEvidence(identity, nonce, key.publicKey),
    }
  }
  const turns = new Turns(AT_ONCE)
  return {
    ...{ key, name: 'a program' },
    evidence: (nonce) =>
      turns.take(async () => {
        try {
          const evidence = evidenceIn(await printed(fileOrCommand, nonce, key.publicKey))
          parseEvidence(evidence)
          return evidence
        } catch (cause) {
          throw new SessionError('internal', 'The server cannot show evidence of its enclave.', { cause })
        }
      }),
  }
}

/** What a command prints. Rejects where it fails, takes too long, or prints too much. */
function printed(command: string, nonce: Uint8Array, channelKey: Uint8Array): Promise<Buffer> {
  const env = {
    ...process.env,
    SOTTO_NONCE: toHex(nonce),
    SOTTO_CHANNEL_KEY: toHex(channelKey),
    SOTTO_REPORT_DATA: toHex(reportDataOf(nonce, channelKey)),
  }
  const child: ChildProcess = spawn(command, {
    ...{ shell: true, env, timeout: PROGRAM_MS, killSignal: 'SIGKILL' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    child.once('error', reject)
    child.stdout?.on('data', (part: Buffer) => {
      size += part.length
      if (size > EVIDENCE_BYTES) child.kill('SIGKILL')
      else parts.push(part)
    })
    child.once('close', (code, signal) => {
      if (code === 0 && size <= EVIDENCE_BYTES) resolve(Buffer.concat(parts))
      else reject(new Error(`It has ended with ${signal ?? `exit code ${code}`}.`))
    })
  })
}

/** So many at once, in the order that they came in. */
class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
