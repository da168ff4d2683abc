import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  firstReplies,
  type Perplexities,
  perplexities,
  samplesPage,
} from '../../../tools/evaluate/evaluate.ts'
import { type LabelAgreement, labelAgreement } from '../../../tools/evaluate/label-agreement.ts'
import { type Example, readExamples } from '../../../tools/finetune/data.ts'
import { onnxEngine } from '../../../tools/onnx/engine.ts'
import { readDialogues } from '../../../tools/train/dialogues.ts'
import { type Bundle, loadBundle } from '../../model/files/bundle-node.ts'
import { numberOption } from '../args.ts'

const help = `sotto evaluate: measure a model on held-out data

  sotto evaluate --model models/sotto-demo --data train.jsonl.gz --dev dev.jsonl.gz --docs docs
  sotto evaluate --model models/sst2 --dev dev.jsonl.gz

  --model DIR    a model bundle. A classifier's accuracy is that of the float model, of the integer
                 plan, and of the private computation, all parties in this process
  --data FILE    chat models: training dialogues, for the n-gram models they are compared with
  --dev FILE     held-out dialogues, or texts with labels
  --texts N      classifiers: no more than so many texts
  --docs DIR     also write samples.md there
  --json         print one JSON object
`

/** `sotto evaluate`: perplexity against n-gram models, and a page of sample replies; or a classifier's accuracy. */
export async function evaluateCommand(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      model: { type: 'string' },
      data: { type: 'string' },
      dev: { type: 'string' },
      docs: { type: 'string' },
      texts: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  if (!values.model || !values.dev)
    throw new Error('sotto evaluate needs --model and --dev; see sotto evaluate --help.')
  const bundle = await loadBundle(values.model)
  if (bundle.manifest.config.head?.kind === 'classify') {
    const most = numberOption('texts', values.texts, { min: 1 })
    const result = await labelled(bundle, readExamples(values.dev).slice(0, most), values.json === true)
    const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(16)} ${value}`)
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`)
    return
  }
  if (!values.data)
    throw new Error('For a chat model sotto evaluate needs --data, too; see sotto evaluate --help.')
  const dev = readDialogues(values.dev)
  if (values.docs) {
    const page = samplesPage(bundle.manifest.name, bundle.hash, firstReplies(bundle, dev, 10))
    writeFileSync(join(values.docs, 'samples.md'), page)
  }
  const engine = await onnxEngine(bundle.manifest.config)
  const result = await perplexities(bundle, engine, readDialogues(values.data), dev)
  await engine.close()
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result))
}

function labelled(bundle: Bundle, examples: Example[], isQuiet: boolean): Promise<LabelAgreement> {
  const say = (done: number): void => void process.stderr.write(`\r${done} of ${examples.length} texts `)
  return labelAgreement(bundle, examples, isQuiet ? undefined : say)
}

const table = ({ tokens, model, bigram, fivegram }: Perplexities): string =>
  `perplexity per token, over ${tokens} held-out tokens
  model    ${model.toFixed(2)}
  5-gram   ${fivegram.toFixed(2)}
  bigram   ${bigram.toFixed(2)}
`
