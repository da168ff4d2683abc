/** `sotto model calibrate`: measures what a bundle's activations span, and writes it into the bundle. */
import { writeFileSync } from 'node:fs'
import { measureBundle } from '../../../tools/calibrate/calibrate.ts'
import { htmlReport, textReport } from '../../../tools/calibrate/text-report.ts'
import { modelHash } from '../../model/files/manifest.ts'
import { numberOption, parse, required, UsageError } from '../args.ts'

const help = `
sotto model calibrate: measure what a bundle's activations span, and write it into the bundle

  sotto model calibrate BUNDLE --text FILE

  --text FILE     text like that the model will see: dialogues {"turns"} or {"text", "pair"} as JSON lines
                  (.jsonl), or plain text; perhaps gzipped. What is measured is published with the
                  bundle, so not texts that must be protected
  --tokens N      tokens to measure (20000; fewer for large models)
  --report FILE   also write every range and its head room as a page (.html) or as JSON (.json)
  --json          one JSON object
  --help          this text
`

export async function calibrateCommand(argv: string[]): Promise<void> {
  const { values, positionals } = parse(
    argv,
    help,
    {
      text: { type: 'string' },
      tokens: { type: 'string' },
      report: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    1,
  )
  const [bundle] = positionals
  if (!bundle) throw new UsageError('Which bundle? See sotto model calibrate --help.')
  if (values.report && !/\.(html|json)$/.test(values.report))
    throw new UsageError(`--report must end in .html or .json, not "${values.report}".`)
  const calibration = await measureBundle({
    bundle,
    data: required('text', values.text),
    tokens: numberOption('tokens', values.tokens, { min: 1 }),
    onProgress: progressTo(values.json, 'Calibrating'),
  })
  const { manifest, ranges, heads, tokens } = calibration
  const hash = await modelHash(manifest)
  const result = { bundle, hash, tokens, ranges, heads }
  if (values.report)
    writeFileSync(
      values.report,
      values.report.endsWith('.html') ? htmlReport(calibration) : `${JSON.stringify(result, null, 1)}\n`,
    )
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${textReport(ranges)}\n\nCalibrated ${bundle} on ${tokens} tokens; the model's hash is now ${hash}.\n`,
  )
}

/** A line that counts, for a person who waits. */
export function progressTo(
  isQuiet: boolean,
  what: string,
): ((done: number, total: number) => void) | undefined {
  if (isQuiet || !process.stderr.isTTY) return undefined
  return (done, total) =>
    void process.stderr.write(`\r${what}: ${Math.min(done, total)} of ${total} tokens\x1b[K`)
}
