import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadBundle } from '../model/bundle-node.ts'
import { readDialogues } from './dialogues.ts'
import { firstReplies, type Perplexities, perplexities, samplesPage } from './evaluate.ts'
import { onnxEngine } from './onnx/engine.ts'

const help = `sotto evaluate: measure a model on held-out dialogues

  sotto evaluate --model models/sotto-demo --data train.jsonl.gz --dev dev.jsonl.gz --docs docs

  --model DIR    a model bundle
  --data FILE    training dialogues, for the n-gram models it is compared with
  --dev FILE     held-out dialogues
  --docs DIR     also write samples.md there
  --json         print one JSON object
`

/** `sotto evaluate`: perplexity against n-gram models, and a page of sample replies. */
export async function evaluateCommand(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      model: { type: 'string' },
      data: { type: 'string' },
      dev: { type: 'string' },
      docs: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  if (!values.model || !values.data || !values.dev)
    throw new Error('sotto evaluate needs --model, --data and --dev; see sotto evaluate --help.')
  const bundle = await loadBundle(values.model)
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

const table = ({ tokens, model, bigram, fivegram }: Perplexities): string =>
  `perplexity per token, over ${tokens} held-out tokens
  model    ${model.toFixed(2)}
  5-gram   ${fivegram.toFixed(2)}
  bigram   ${bigram.toFixed(2)}
`
