/** `sotto model calibrate`: measures what a bundle's activations span, and writes it into the bundle. */

import { writeFileSync } from 'node:fs'
import { measureBundle } from '../../../tools/calibrate/calibrate.ts'
import { htmlReport, textReport } from '../../../tools/calibrate/text-report.ts'
import { modelHash } from '../../model/files/manifest.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult, status } from '../terminal.ts'
import { fileEnding, whole } from '../values.ts'

const declared = command(
  'calibrate',
  "Measure what a bundle's activations span, and write it into the bundle.",
)
  .argument('<bundle>', 'folder of a bundle')
  .requiredOption(
    '--text <file>',
    'text like that the model will see: dialogues {"turns"} or {"text", "pair"} as JSON lines (.jsonl), or plain text; perhaps gzipped. What is measured is published with the bundle, so not texts that must be protected',
  )
  .option('--tokens <n>', 'tokens to measure; 20000 if not given, fewer for large models', whole(1))
  .option(
    '--report <file>',
    'also write every range and its head room as a page (.html) or as JSON (.json)',
    fileEnding('.html', '.json'),
  )
  .option('--json', 'print one JSON object', false)

export const calibrateCommand = declared.action(calibrate)

async function calibrate(bundle: string, values: ValuesOf<typeof declared>): Promise<void> {
  const calibration = await measureBundle({
    bundle,
    data: values.text,
    tokens: values.tokens,
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
  printResult(
    values.json,
    result,
    `${textReport(ranges)}\n\nCalibrated ${bundle} on ${tokens} tokens; the model's hash is now ${hash}.\n`,
  )
}

/** A line that counts, for a person who waits. */
function progressTo(isQuiet: boolean, what: string): ((done: number, total: number) => void) | undefined {
  if (isQuiet || !process.stderr.isTTY) return undefined
  return (done, total) => status(`${what}: ${Math.min(done, total)} of ${total} tokens`)
}
