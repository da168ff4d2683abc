/** `sotto model import`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { textReport } from '../../../tools/calibrate/text-report.ts'
import { fetchModel, isHubName } from '../../../tools/import/hub.ts'
import { type ImportReport, importModel } from '../../../tools/import/import-model.ts'
import { choiceOption, numberOption, parse, required, UsageError } from '../args.ts'

const help = `
sotto model import: make a bundle of a model in Hugging Face's format

  sotto model import DIR --out BUNDLE [--calibrate FILE]
  sotto model import ORG/NAME --out BUNDLE

GPT-2, LLaMA and Mistral, BERT and RoBERTa: a folder with config.json, safetensors and a tokenizer, or the name
of one on the hub, which is downloaded (resumed where it stopped, and checked) into a cache.

  --out BUNDLE       folder to write; it must not exist
  --calibrate FILE   text like that the model will see; without it the model can't be served privately until
                     sotto model calibrate has run. See there for the formats
  --tokens N         tokens to calibrate on (20000; fewer for large models)
  --private WHAT     blocks: layers and a classifier's head (the default); all; none; head; or tensor names,
                     commas between them, * for any characters
  --name, --description, --licence, --source TEXT
                     what the bundle says about itself
  --dtype TYPE       F16 (the default), BF16 or F32
  --context N        a shorter context than the model's own, which makes private passes cheaper
  --no-balance       leave channels as they are. Otherwise those that stand out are rescaled by powers of two,
                     which changes no result
  --hub URL          (HF_ENDPOINT or https://huggingface.co)
  --revision NAME    of the hub's repository (main)
  --cache DIR        for downloads (sotto/hub in HF_HOME or ~/.cache)
  --report FILE      write the result as JSON
  --json             print one JSON object
  --help             this text
`

export async function importCommand(argv: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parse(
    argv,
    help,
    {
      out: text,
      calibrate: text,
      tokens: text,
      private: { type: 'string', default: 'blocks' },
      name: text,
      description: text,
      licence: text,
      license: text,
      source: text,
      dtype: text,
      context: text,
      'no-balance': { type: 'boolean', default: false },
      hub: text,
      revision: text,
      cache: text,
      report: text,
      json: { type: 'boolean', default: false },
    },
    1,
  )
  const [from] = positionals
  if (!from) throw new UsageError('Which model? See sotto model import --help.')
  const out = required('out', values.out)
  const dtype = choiceOption('dtype', values.dtype, ['F16', 'BF16', 'F32'] as const)
  const context = numberOption('context', values.context, { min: 8 })
  const tokens = numberOption('tokens', values.tokens, { min: 1 })
  const say = values.json ? () => undefined : (line: string) => void process.stderr.write(`\r${line}\x1b[K`)
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
    balance: !values['no-balance'],
    calibrate: values.calibrate,
    tokens,
    onProgress: say,
  })
  const peakMemoryBytes = peakMemory()
  if (values.report)
    writeFileSync(values.report, `${JSON.stringify({ ...report, peakMemoryBytes }, null, 1)}\n`)
  say('')
  process.stdout.write(values.json ? `${JSON.stringify({ ...report, peakMemoryBytes })}\n` : asText(report))
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
