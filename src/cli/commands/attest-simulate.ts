/** `sotto attest simulate`: an enclave that nothing vouches for. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newChannelKey } from '../../handshake/attestation/channel.ts'
import { simulateEvidence, simulatorPolicy } from '../../handshake/attestation/simulate.ts'
import { loadIdentity } from '../../handshake/node/key-file.ts'
import { command, type ValuesOf } from '../command.ts'
import { print } from '../terminal.ts'
import { nonceBytes } from '../values.ts'

const declared = command('simulate', 'Make evidence of a simulated enclave, and the policy that takes it.')
  .requiredOption(
    '--out <dir>',
    'folder for simulator.pem, which sotto serve --attest takes, and policy.json',
  )
  .option('--nonce <hex>', 'what an owner drew, 32 bytes: evidence.json for it as well', nonceBytes)
  .addHelpText('after', '\nFor trying things out on any machine. Nothing vouches for it: it is not attested.')

export const attestSimulateCommand = declared.action(simulate)

async function simulate({ out, nonce }: ValuesOf<typeof declared>): Promise<void> {
  const key = join(out, 'simulator.pem')
  const identity = loadIdentity(key)
  const write = (name: string, value: unknown): string => {
    const path = join(out, name)
    writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`)
    return path
  }
  const made = [key, write('policy.json', simulatorPolicy(identity))]
  if (nonce) {
    const { publicKey } = await newChannelKey()
    made.push(write('evidence.json', await simulateEvidence(identity, nonce, publicKey)))
  }
  print(`Simulated, not attested: ${made.join(', ')}\n`)
}
