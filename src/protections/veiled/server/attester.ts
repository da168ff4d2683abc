/** Where a server's evidence comes from: a program of the enclave that it runs in, or a simulator. */
import { existsSync } from 'node:fs'
import { NONCE_BYTES } from '../../../handshake/attestation/attested.ts'
import { newChannelKey } from '../../../handshake/attestation/channel.ts'
import { parseEvidence } from '../../../handshake/attestation/evidence.ts'
import { reportDataOf } from '../../../handshake/attestation/sev-snp.ts'
import { simulateEvidence } from '../../../handshake/attestation/simulate.ts'
import { randomBytes } from '../../../handshake/crypto.ts'
import { toHex } from '../../../handshake/encoding.ts'
import { SessionError } from '../../../handshake/errors.ts'
import { loadIdentity } from '../../../handshake/node/key-file.ts'
import { evidenceIn } from '../../../handshake/node/read-evidence.ts'
import type { Attester } from './attested-greeting.ts'
import { EngineError } from './engine.ts'
import { printed } from './evidence-program.ts'
import { Turns } from './turns.ts'

/** Programs at once, and owners who wait for theirs: an owner gives up before many more have had their turn. */
const AT_ONCE = 4
const WAITING = 32

/**
 * Of a file with a simulator's key (`sotto attest simulate`), or else of a command, which a shell runs for each session:
 * its surroundings have SOTTO_NONCE, SOTTO_CHANNEL_KEY and, for SEV-SNP, SOTTO_REPORT_DATA, all in hexadecimal. It is run once
 * here. Rejects with {@link EngineError} for a key that is not there, and for a command that shows no evidence.
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
  const ask = (nonce: Uint8Array) => shown(fileOrCommand, nonce, key.publicKey)
  await ask(randomBytes(NONCE_BYTES)).catch((cause: unknown) => {
    throw new EngineError(
      `The command ${JSON.stringify(fileOrCommand)} shows no evidence of an enclave: ${reasonOf(cause)} (A simulator’s key is a file NAME.pem.)`,
      { cause },
    )
  })
  const turns = new Turns(AT_ONCE, WAITING)
  return {
    ...{ key, name: 'a program' },
    evidence: (nonce) =>
      turns.take(() =>
        ask(nonce).catch((cause: unknown) => {
          throw new SessionError('internal', 'The server cannot show evidence of its enclave.', { cause })
        }),
      ),
  }
}

async function shown(command: string, nonce: Uint8Array, channelKey: Uint8Array): Promise<unknown> {
  const output = await printed(command, {
    SOTTO_NONCE: toHex(nonce),
    SOTTO_CHANNEL_KEY: toHex(channelKey),
    SOTTO_REPORT_DATA: toHex(reportDataOf(nonce, channelKey)),
  })
  const evidence = evidenceIn(output)
  parseEvidence(evidence)
  return evidence
}

/** Of what begins as JSON and is none, the parser's words quote some. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && !(error instanceof SyntaxError) ? error.message : 'What it prints is damaged.'
