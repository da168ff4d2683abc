import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
import { writeEvaluation } from '../../model/files/evaluation.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult, status } from '../terminal.ts'
import { whole } from '../values.ts'

const declared = command('evaluate', 'Measure a model on held-out data.')
  .requiredOption(
    '--model <dir>',
    "a model bundle. A classifier's accuracy is that of the float model, of the integer plan, and of the private computation, all parties in this process",
  )
  .requiredOption('--dev <file>', 'held-out dialogues, or texts with labels')
  .option('--data <file>', 'chat models: training dialogues, for the n-gram models they are compared with')
  .option('--texts <n>', 'classifiers: no more than so many texts', whole(1))
  .option(
    '--keep',
    'classifiers: keep the private accuracy beside the bundle, where listings have it from',
    false,
  )
  .option('--docs <dir>', 'chat models: also write samples.md there')
  .option('--json', 'print one JSON object', false)

export const evaluateCommand = declared.action(evaluate)

/** Perplexity against n-gram models, and a page of sample replies; or a classifier's accuracy. */
async function evaluate(values: ValuesOf<typeof declared>): Promise<void> {
  const bundle = await loadBundle(values.model)
  if (bundle.manifest.config.head?.kind === 'classify') {
    const result = await labelled(bundle, readExamples(values.dev).slice(0, values.texts), values.json)
    if (values.keep)
      writeEvaluation(values.model, bundle.hash, { accuracy: result.privateAccuracy, texts: result.texts })
    const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(16)} ${value}`)
    printResult(values.json, result, `${lines.join('\n')}\n`)
    return
  }
  if (!values.data)
    throw new UsageError('For a chat model sotto evaluate needs --data, too.', 'See sotto evaluate --help.')
  const dev = readDialogues(values.dev)
  if (values.docs) {
    const page = samplesPage(bundle.manifest.name, bundle.hash, firstReplies(bundle, dev, 10))
    writeFileSync(join(values.docs, 'samples.md'), page)
  }
  const engine = await onnxEngine(bundle.manifest.config)
  const result = await perplexities(bundle, engine, readDialogues(values.data), dev)
  await engine.close()
  printResult(values.json, result, table(result))
}

function labelled(bundle: Bundle, examples: Example[], isQuiet: boolean): Promise<LabelAgreement> {
  const say = (done: number): void => status(`${done} of ${examples.length} texts`)
  return labelAgreement(bundle, examples, isQuiet ? undefined : say)
}

const table = ({ tokens, model, bigram, fivegram }: Perplexities): string =>
  `perplexity per token, over ${tokens} held-out tokens
  model    ${model.toFixed(2)}
  5-gram   ${fivegram.toFixed(2)}
  bigram   ${bigram.toFixed(2)}
`
