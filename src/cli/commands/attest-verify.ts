/** `sotto attest verify`: whether evidence of an enclave is to be believed. */
import { readFileSync } from 'node:fs'
import { type Attested, NONCE_BYTES } from '../../handshake/attestation/attested.ts'
import { type Evidence, parseEvidence, verifyEvidence } from '../../handshake/attestation/evidence.ts'
import { parsePolicy } from '../../handshake/attestation/policy.ts'
import { toHex } from '../../handshake/encoding.ts'
import { evidenceIn } from '../../handshake/node/read-evidence.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult } from '../terminal.ts'
import { date, nonceBytes } from '../values.ts'

const declared = command('verify', 'Hold evidence of an enclave against a policy.')
  .argument('<file>', 'evidence as JSON, or a Nitro document as it is or in base64')
  .requiredOption('--policy <file>', 'what you demand; docs/enclave.md has examples')
  .requiredOption('--nonce <hex>', `what you drew and sent, ${NONCE_BYTES} bytes`, nonceBytes)
  .option('--at <date>', 'the time at which dates are judged; now if not given', date)
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
Checks AWS Nitro documents and AMD SEV-SNP reports: roots, signatures, dates, what runs there, that nobody can look in,
nonce and key. What is not believed ends with exit code 1, and a reason.`,
  )

export const attestVerifyCommand = declared.action(verify)

async function verify(file: string, values: ValuesOf<typeof declared>): Promise<void> {
  const policy = parsePolicy(read(values.policy).toString('utf8'))
  const at = values.at ?? new Date()
  const attested = await verifyEvidence(evidenceOf(read(file)), policy, { nonce: values.nonce, at })
  const facts = { ...attested, channelKey: toHex(attested.channelKey), judgedAt: at }
  printResult(values.json, facts, asText(attested))
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`)
  }
}

function evidenceOf(bytes: Buffer): Evidence {
  try {
    return parseEvidence(evidenceIn(bytes))
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError('The evidence is not JSON.')
    throw error
  }
}

const asText = ({ platform, isAttested, machine, measurements, issued, channelKey }: Attested): string =>
  [
    isAttested ? `Attested: ${platform}` : 'Not attested: a simulator, which nothing vouches for',
    `  machine      ${machine}`,
    ...Object.entries(measurements).map(([name, value]) => `  ${name.padEnd(12)} ${value}`),
    ...(issued ? [`  made         ${issued.toISOString()}`] : []),
    `  key          ${toHex(channelKey)}`,
    '',
  ].join('\n')
