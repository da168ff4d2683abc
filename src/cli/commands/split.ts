/** `sotto model split`: private weights in pieces, so that neither the model server nor the dealer has them. */

import { splitBundle } from '../../../tools/split/split.ts'
import { createNodeKernels } from '../../kernels/node/kernels.ts'
import { parse, required, UsageError } from '../args.ts'
import { keyOption } from '../common.ts'

const help = `
sotto model split: cut the private weights in pieces, of which neither the model server nor the dealer has all

  sotto model split BUNDLE --out DIR --server-key KEY --dealer-key KEY

Writes DIR/server/NAME, for sotto serve --models DIR/server, and DIR/dealer/NAME, for sotto deal --models DIR/dealer.
Each holds a seed sealed for one identity key alone. Split after calibration: a new calibration needs a new splitting.
Two of server, dealer and user together still have the weights; see docs/threat-model.md.

  --out DIR          new folder for both split bundles
  --server-key KEY   identity key of the model server (sotto serve --print-key)
  --dealer-key KEY   identity key of the dealer (sotto deal --print-key)
  --json             one JSON object
  --help             this text
`

export async function splitCommand(argv: string[]): Promise<void> {
  const { values, positionals } = parse(
    argv,
    help,
    {
      out: { type: 'string' },
      'server-key': { type: 'string' },
      'dealer-key': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    1,
  )
  const [bundle] = positionals
  if (!bundle) throw new UsageError('Which bundle? See sotto model split --help.')
  const key = (name: 'server-key' | 'dealer-key') => keyOption(name, required(name, values[name]))
  const keys = { server: key('server-key'), dealer: key('dealer-key') }
  const out = required('out', values.out)
  const report = await splitBundle({ bundle, out, keys, kernels: createNodeKernels() })
  const { matrices, betaBytes, server, dealer } = report
  process.stdout.write(
    values.json
      ? `${JSON.stringify(report)}\n`
      : `${matrices} private matrices split, ${(betaBytes / 1e6).toFixed(1)} MB each.\n` +
          `For the model server: ${server}\nFor the dealer:       ${dealer}\n`,
  )
}
