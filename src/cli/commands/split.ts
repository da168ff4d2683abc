/** `sotto model split`: private weights in pieces, so that neither the model server nor the dealer has them. */

import { splitBundle } from '../../../tools/split/split.ts'
import { fromBase64Url } from '../../handshake/encoding.ts'
import { createNodeKernels } from '../../kernels/node/kernels.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult } from '../terminal.ts'
import { identityKey } from '../values.ts'

const declared = command(
  'split',
  'Cut the private weights in pieces, of which neither the model server nor the dealer has all.',
)
  .argument('<bundle>', 'folder of a calibrated bundle')
  .requiredOption('--out <dir>', 'new folder for both split bundles')
  .requiredOption(
    '--server-key <key>',
    'identity key of the model server (sotto serve --print-key)',
    identityKey,
  )
  .requiredOption('--dealer-key <key>', 'identity key of the dealer (sotto deal --print-key)', identityKey)
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
Writes DIR/server/NAME, for sotto serve --models DIR/server, and DIR/dealer/NAME, for sotto deal --models DIR/dealer.
Each holds a seed sealed for one identity key alone. Split after calibration: a new calibration needs a new splitting.
Two of server, dealer and user together still have the weights; see docs/threat-model.md.`,
  )

export const splitCommand = declared.action(split)

async function split(bundle: string, values: ValuesOf<typeof declared>): Promise<void> {
  const { out, serverKey, dealerKey } = values
  const keys = { server: fromBase64Url(serverKey, 32), dealer: fromBase64Url(dealerKey, 32) }
  const report = await splitBundle({ bundle, out, keys, kernels: createNodeKernels() })
  const { matrices, betaBytes, server, dealer } = report
  printResult(
    values.json,
    report,
    `${matrices} private matrices split, ${(betaBytes / 1e6).toFixed(1)} MB each.\n` +
      `For the model server: ${server}\nFor the dealer:       ${dealer}\n`,
  )
}
