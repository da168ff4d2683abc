/** `sotto model calibrate`: measures what a bundle's activations span, and writes it into the bundle. */
import { numberOption, parse, required, UsageError } from '../cli/args.ts'
import { modelHash } from '../model/manifest.ts'
import { calibrateBundle } from './calibrate.ts'

const help = `
sotto model calibrate: measure what a bundle's activations span, and write it into the bundle

  sotto model calibrate BUNDLE --text FILE

  --text FILE     dialogues (JSON lines, perhaps gzipped) like those the model will see
  --tokens N      tokens to measure (20000)
  --json          one JSON object
  --help          this text
`

export async function calibrateCommand(argv: string[]): Promise<void> {
  const { values, positionals } = parse(
    argv,
    help,
    { text: { type: 'string' }, tokens: { type: 'string' }, json: { type: 'boolean', default: false } },
    1,
  )
  const [bundle] = positionals
  if (!bundle) throw new UsageError('Which bundle? See sotto model calibrate --help.')
  const manifest = await calibrateBundle({
    bundle,
    data: required('text', values.text),
    tokens: numberOption('tokens', values.tokens, { min: 1 }),
  })
  const hash = await modelHash(manifest)
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ bundle, hash, profile: manifest.profile })}\n`
      : `Calibrated ${bundle}; the model's hash is now ${hash}.\n`,
  )
}
