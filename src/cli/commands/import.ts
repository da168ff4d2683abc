/** `sotto model import`. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Option } from '@commander-js/extra-typings'
import { textReport } from '../../../tools/calibrate/text-report.ts'
import { fetchModel, isHubName } from '../../../tools/import/hub.ts'
import { type ImportReport, importModel } from '../../../tools/import/import-model.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult, status } from '../terminal.ts'
import { whole } from '../values.ts'

const declared = command('import', "Make a bundle of a model in Hugging Face's format.")
  .argument('<model>', 'folder with config.json, safetensors and a tokenizer, or ORG/NAME on the hub')
  .requiredOption('--out <bundle>', 'folder to write; it must not exist')
  .option(
    '--calibrate <file>',
    "text like that the model will see; without it the model can't be served privately until sotto model calibrate has run. See there for the formats",
  )
  .option('--tokens <n>', 'tokens to calibrate on; 20000 if not given, fewer for large models', whole(1))
  .option(
    '--private <what>',
    "blocks: layers and a classifier's head; all; none; head; or tensor names, commas between them, * for any characters",
    'blocks',
  )
  .addOption(
    new Option('--dtype <type>', 'of the tensors written; F16 if not given').choices([
      'F16',
      'BF16',
      'F32',
    ] as const),
  )
  .option(
    '--context <n>',
    "a shorter context than the model's own, which makes private passes cheaper",
    whole(8),
  )
  .option(
    '--pairs',
    'a classifier that compares two texts; known by itself where config.json names the task (finetuning_task)',
  )
  .option(
    '--no-balance',
    'leave channels as they are. Otherwise those that stand out are rescaled by powers of two, which changes no result',
  )
  .option('--report <file>', 'write the result as JSON')
  .option('--json', 'print one JSON object', false)
  .optionsGroup('What the bundle says about itself:')
  .option('--name <text>', "its name; the folder's or the hub's if not given")
  .option('--description <text>', 'what the model is')
  .option('--licence <text>', 'of the weights')
  .addOption(new Option('--license <text>', 'as --licence').hideHelp())
  .option('--source <text>', 'where the weights come from')
  .optionsGroup('Downloads:')
  .option('--hub <url>', 'where models are; HF_ENDPOINT or https://huggingface.co if not given')
  .option('--revision <name>', "of the hub's repository; main if not given")
  .option('--cache <dir>', 'where downloads are kept; sotto/hub in HF_HOME or ~/.cache if not given')
  .addHelpText(
    'after',
    `
GPT-2, LLaMA and Mistral, BERT and RoBERTa. A model of the hub is downloaded, resumed where it stopped, and checked.`,
  )

export const importCommand = declared.action(importBundle)

async function importBundle(from: string, values: ValuesOf<typeof declared>): Promise<void> {
  const { out, dtype, context, tokens } = values
  const say = values.json ? () => undefined : status
  if (existsSync(out))
    throw new UsageError(`${out} exists already. Choose another --out, or remove it first.`)
  const onHub = !existsSync(from) && isHubName(from)
  const dir = onHub
    ? await fetchModel(from, {
        endpoint: values.hub,
        revision: values.revision,
        cache: values.cache,
        onProgress: ({ file, loaded, total }) => say(`Downloading ${file}: ${percent(loaded, total)}`),
      })
    : from
  const report = await importModel({
    from: dir,
    out,
    private: values.private,
    about: {
      name: values.name ?? (onHub ? from.split('/').at(-1) : undefined),
      description: values.description,
      license: values.licence ?? values.license,
      source: values.source ?? (onHub ? `${from} on Hugging Face's hub` : undefined),
    },
    dtype,
    context,
    pairs: values.pairs,
    balance: values.balance,
    calibrate: values.calibrate,
    tokens,
    onProgress: say,
  })
  const peakMemoryBytes = peakMemory()
  if (values.report)
    writeFileSync(values.report, `${JSON.stringify({ ...report, peakMemoryBytes }, null, 1)}\n`)
  say('')
  printResult(values.json, { ...report, peakMemoryBytes }, asText(report))
}

/** Of this process alone: where a process starts another, the system's own figure counts the memory of both. */
function peakMemory(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS
  return Number(kilobytes) * 1024
}

const percent = (loaded: number, total: number): string =>
  total > 0 ? `${Math.floor((100 * loaded) / total)} %` : `${loaded} bytes`

function asText(r: ImportReport): string {
  const millions = (n: number) => `${(n / 1e6).toFixed(1)} million`
  const facts = [
    ['form', r.config.arch],
    [
      'parameters',
      `${millions(r.parameters)}, of them ${millions(r.privateParameters)} private, as ${r.dtype}`,
    ],
    ['context', String(r.config.context)],
    ['tokenizer', r.tokenizer],
    ['rescaled', `${r.balanced} tensors`],
    ['hash', r.hash],
  ]
  const next = r.calibrated
    ? 'It can be served privately.'
    : `Next: sotto model calibrate ${r.bundle} --text FILE`
  return [
    ...(r.ranges ? [textReport(r.ranges), ''] : []),
    `Wrote ${r.bundle}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(12)}${value}`),
    ...r.notes.map((note) => `  Note: ${note}`),
    next,
    '',
  ].join('\n')
}
