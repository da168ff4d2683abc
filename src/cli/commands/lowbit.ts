/** `sotto model lowbit`: a model of few bits that imitates another, by quantization-aware training. */
import { Option } from '@commander-js/extra-typings'
import { runLowbit } from '../../../tools/lowbit/lowbit.ts'
import { bitsNames } from '../../../tools/lowbit/precision.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult } from '../terminal.ts'
import { real, repeated, text, whole } from '../values.ts'

const declared = command('lowbit', 'Train a model of few bits that stands in for another one.')
  .argument('<base>', 'bundle of the model that is imitated')
  .addOption(
    new Option(
      '--task <name>',
      'what the data is: {"text", "label"}, or dialogues {"turns": [{"role", "text"}]}',
    )
      .choices(['labels', 'chat'] as const)
      .makeOptionMandatory(),
  )
  .requiredOption(
    '--data <file>',
    'training data, JSON lines, .gz or plain: what the base was trained on, best',
  )
  .option('--dev <file>', 'held-out data in the same form; without it, a tenth of --data is held out')
  .option(
    '--text <file>',
    'labels: more texts or dialogues, without labels, for the first stage; repeat for more',
    repeated(text),
  )
  .requiredOption('--out <dir>', 'checkpoints go here, and the model to DIR/bundle')
  .addOption(
    new Option('--bits <name>', 'of weights and activations').choices(bitsNames).default('w1a8' as const),
  )
  .option('--layers <n>', "layers; the base's if not given", whole(1, 512))
  .option('--ff <n>', "width inside the feed-forward layers; the base's if not given", whole(1))
  .option(
    '--epochs <n>',
    'passes over the data of the first and the last stage; those between take fewer',
    real(0.001),
    8,
  )
  .option('--batch <n>', 'examples for each step', whole(1), 64)
  .option('--lr <n>', 'peak learning rate of every stage', real(1e-9, 1), 0.002)
  .option('--word-dropout <n>', 'share of words hidden at random while training', real(0, 0.9), 0.05)
  .option('--hidden <n>', "weight of the teacher's hidden states in the loss", real(0, 1000), 1)
  .option('--soft <n>', "part of the targets that are the base's probabilities", real(0, 1), 0.5)
  .option('--seed <n>', 'of initial weights, the order of examples, dropout and rounding', whole(), 1)
  .option('--threads <n>', 'processor threads', whole(1), 2)
  .option('--resume', 'go on from the checkpoint in --out; repeat the other options', false)
  .option('--json', 'one JSON object per line instead of text', false)
  .optionsGroup('What the bundle says about itself:')
  .option('--name <text>', "its name; the folder's if not given")
  .option('--description <text>', 'what the model is')
  .option('--license <text>', "of the weights; the base's if not given")
  .option('--source <text>', "where the training data comes from; the base's if not given")

export const lowbitCommand = declared.action(lowbit)

async function lowbit(base: string, values: ValuesOf<typeof declared>): Promise<void> {
  const print = (value: object, line: string) => printResult(values.json, value, `${line}\n`)
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
  const summary = await runLowbit({
    ...values,
    base,
    texts: values.text ?? [],
    shape: { layers: values.layers, ff: values.ff },
    learningRate: values.lr,
    hiddenWeight: values.hidden,
    about: values,
    onProgress: (p) =>
      print(
        p,
        `${p.stage}  step ${p.step} of ${p.steps}  loss ${p.loss.toFixed(4)}  ${p.seconds.toFixed(0)} s, about ${p.secondsLeft.toFixed(0)} s left`,
      ),
    onStage: (r) => {
      const accuracy = r.accuracy === undefined ? '' : `  accuracy ${percent(r.accuracy)}`
      print(r, `${r.stage} done  held out ${r.loss.toFixed(4)}${accuracy}`)
    },
  })
  const all = summary.accuracy?.map(percent) ?? summary.loss.map((loss) => Math.exp(loss).toFixed(3))
  print(summary, `Model ${summary.hash.slice(0, 12)} written to ${summary.bundle}: ${all.join(', ')}`)
}
