/** `sotto model finetune`: a public base, fine-tuned on a developer's data, with or without differential privacy. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { type FineTuneOptions, numberOf, runFineTune } from '../../../tools/finetune/finetune.ts'
import { glueTasks } from '../../../tools/finetune/glue.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { printResult } from '../terminal.ts'
import { real, whole } from '../values.ts'

/** Ledgers of this user, whatever the working folder: what was spent stays spent. */
const ledgerFolder = (): string =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'sotto', 'privacy')

const privateOptimizers = ['dp-sgd', 'dp-adamw', 'dp-adambc'] as const

const declared = command('finetune', 'Fine-tune a model on your data, privately if you say how privately.')
  .requiredOption(
    '--base <dir>',
    'bundle of an encoder or of a chat model, or the folder of a pre-training run',
  )
  .requiredOption('--task <name>', 'what the data is: see below', task)
  .requiredOption('--data <file>', 'training data, JSON lines or TSV, .gz or plain')
  .option(
    '--dev <file>',
    'held-out data in the same form; it also calibrates the model, so its texts are not protected. Without it, a tenth of --data is held out',
  )
  .requiredOption(
    '--out <dir>',
    'checkpoint, report.html and report.json go here, and the model to DIR/bundle',
  )
  .addOption(
    new Option(
      '--method <name>',
      'full: all weights; lora: adapters and head; ffa-lora: the same, with half of each adapter frozen and public. ffa-lora with --epsilon, else full, if not given',
    ).choices(['full', 'lora', 'ffa-lora'] as const),
  )
  .option('--rank <n>', 'of the adapters', whole(1), 8)
  .option('--alpha <n>', 'scale of the adapters, over their rank', real(1e-3, 1e4), 16)
  .option(
    '--freeze-tables',
    'full: leave the embedding tables, which are published, as the base has them',
    false,
  )
  .option('--epochs <n>', 'passes over the data; 6, or 15 with --epsilon, if not given', whole(1))
  .option(
    '--batch <n>',
    'examples for each step, on average; 32, or 512 with --epsilon, if not given',
    whole(1),
  )
  .option('--lr <n>', 'peak learning rate', real(1e-9, 10), 0.0005)
  .option('--weight-decay <n>', '0.01, or 0 with --epsilon, if not given', real(0, 1))
  .option(
    '--word-dropout <n>',
    'share of words hidden at random while training; 0.1, or 0 with --epsilon, if not given',
    real(0, 0.9),
  )
  .option('--smoothing <n>', 'part of the target that all labels share', real(0, 0.9), 0)
  .option(
    '--average <n>',
    "epochs that the averaged weights reach back; 0 takes the last step's",
    real(0, 1000),
    1,
  )
  .option('--replies-only', 'chat: learn and measure what the assistant says, not what users say', false)
  .option(
    '--pairs-per-text <n>',
    'how often each text begins a pair of either kind, where pairs are made',
    whole(1),
    2,
  )
  .option('--seed <n>', 'of the head, the adapters, the order of examples and dropout', whole(), 1)
  .option('--threads <n>', 'processor threads', whole(1), 2)
  .option('--resume', 'go on from the checkpoint in --out; repeat the other options', false)
  .option('--json', 'one JSON object for each epoch, and one at the end', false)
  .optionsGroup('Differential privacy:')
  .option('--epsilon <n>', 'train with differential privacy, spending at most so much', real(1e-3, 1e4))
  .option('--delta <n>', 'below 1 / examples; 1 / (10 * examples) if not given', real(1e-12, 0.5))
  .option(
    '--public-examples <n>',
    'about how many examples there are, as anybody may know: noise, steps and delta are planned with it. Without it they come from the true number, which is then not hidden',
    whole(1),
  )
  .option('--clip <n>', "norm that each example's gradient is clipped to", real(1e-6, 1e6), 1)
  .addOption(
    new Option(
      '--optimizer <name>',
      'adamw without --epsilon, one of the others with it; dp-adambc if not given',
    ).choices(['adamw', ...privateOptimizers] as const),
  )
  .option(
    '--gamma <n>',
    'dp-adambc: floor of the second moment, best near (noise * clip / batch)^2; 7e-9 if not given',
    real(1e-30, 1),
  )
  .addOption(
    new Option('--accountant <name>', 'prv is the tight one')
      .choices(['prv', 'rdp'] as const)
      .default('prv' as const),
  )
  .option(
    '--ledger <file>',
    `where the steps are counted; one file for each data set and base in ${ledgerFolder()} if not given`,
  )
  .optionsGroup('What the bundle says about itself:')
  .option('--name <text>', "its name; the folder's if not given")
  .option('--description <text>', 'what the model is')
  .option('--license <text>', 'of the weights')
  .option('--source <text>', 'where the training data comes from')
  .addHelpText(
    'after',
    `
Tasks:
  sst2          {"text", "label": 0 or 1}
  labels        {"text", "label"}
  pairs         {"text", "pair", "label"}, or made from {"text", "label"}: do two texts have one label?
  glue:NAME     the TSV files of ${Object.keys(glueTasks).join(', ')}
  chat          dialogues, {"turns": [{"role", "text"}]}; each is one example

Examples:
  sotto model finetune --base BUNDLE --task sst2 --data train.jsonl --dev dev.jsonl --out DIR
  sotto model finetune ... --method ffa-lora --epsilon 8 --delta 1e-5`,
  )

export const finetuneCommand = declared.action(finetune)

async function finetune(values: ValuesOf<typeof declared>): Promise<void> {
  const isPrivate = values.epsilon !== undefined
  const o: FineTuneOptions = {
    base: values.base,
    task: values.task,
    data: values.data,
    dev: values.dev,
    out: values.out,
    method: values.method ?? (isPrivate ? 'ffa-lora' : 'full'),
    rank: values.rank,
    alpha: values.alpha,
    freezeTables: values.freezeTables || isPrivate,
    heldOut: 0.1,
    epochs: values.epochs ?? (isPrivate ? 15 : 6),
    batch: values.batch ?? (isPrivate ? 512 : 32),
    learningRate: values.lr,
    weightDecay: values.weightDecay ?? (isPrivate ? 0 : 0.01),
    wordDropout: values.wordDropout ?? (isPrivate ? 0 : 0.1),
    smoothing: values.smoothing,
    averageEpochs: values.average,
    repliesOnly: values.repliesOnly,
    pairsPerText: values.pairsPerText,
    seed: values.seed,
    threads: values.threads,
    about: values,
    resume: values.resume,
  }
  const { epsilon, delta, clip, accountant, optimizer, gamma, ledger, publicExamples } = values
  if (epsilon !== undefined) {
    const named = privateOptimizers.find((name) => name === (optimizer ?? 'dp-adambc'))
    if (!named)
      throw new UsageError('--optimizer adamw is not private. Leave out --epsilon, or choose dp-adamw.')
    o.privacy = {
      ...{ epsilon, delta, clip, accountant, gamma, ledger, ledgers: ledgerFolder(), publicExamples },
      optimizer: named,
    }
  } else if (
    (optimizer ?? 'adamw') !== 'adamw' ||
    [delta, ledger, publicExamples].some((value) => value !== undefined)
  )
    throw new UsageError(
      '--delta, --public-examples, --ledger and private optimizers need --epsilon: how private should it be?',
    )
  await report(o, values.json)
}

function task(text: string): string {
  const glue = /^glue:(.+)$/.exec(text)?.[1]
  const names = glue ? Object.keys(glueTasks) : ['sst2', 'labels', 'pairs', 'chat']
  if (!names.includes(glue?.toLowerCase() ?? text))
    throw new InvalidArgumentError(
      glue ? `Use glue: and one of ${names.join(', ')}.` : `Use one of ${names.join(', ')}, glue:NAME.`,
    )
  return text
}

async function report(o: FineTuneOptions, json: boolean): Promise<void> {
  const print = (value: object, line: string) => printResult(json, value, `${line}\n`)
  const summary = await runFineTune({
    ...o,
    onPlan: (plan) => {
      const { sigma, q, steps, delta, accountant, ledger, plannedExamples, publicExamples } = plan
      print(
        {
          plan: {
            ...{ sigma, q, steps, delta, accountant, ledger },
            ...{ examples: plannedExamples, hidesNumber: publicExamples !== undefined },
          },
        },
        `${steps} steps with noise ${sigma.toFixed(4)} at sampling probability ${q.toFixed(5)}, delta ${delta}\n` +
          `Number of examples: ${numberOf(plan)}\nCounted in ${ledger}`,
      )
    },
    onEpoch: (r) => {
      const accuracy = r.devAccuracy === undefined ? '' : `  accuracy ${(100 * r.devAccuracy).toFixed(2)} %`
      const spent = r.epsilon === undefined ? '' : `  epsilon ${r.epsilon.toFixed(3)}`
      const loss = `loss ${r.trainLoss.toFixed(4)}  held out ${r.devLoss.toFixed(4)}`
      print(r, `epoch ${r.epoch.toFixed(1)}  ${loss}${accuracy}${spent}  ${r.seconds.toFixed(0)} s`)
    },
  })
  const { perplexity: found } = summary
  const perplexity = found
    ? `, perplexity ${found.base.toFixed(2)} before, ${found.tuned.toFixed(2)} after`
    : ''
  print(summary, `Model ${summary.hash.slice(0, 12)} written to ${summary.bundle}${perplexity}`)
}
