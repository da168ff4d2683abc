/** `sotto model finetune`: a public base, fine-tuned on a developer's data, with or without differential privacy. */

import { type FineTuneOptions, runFineTune } from '../../../tools/finetune/finetune.ts'
import { glueTasks } from '../../../tools/finetune/glue.ts'
import { choiceOption, numberOption, parse, required, UsageError } from '../args.ts'

const help = `
sotto model finetune: fine-tune a model on your data, privately if you say how privately

  sotto model finetune --base BUNDLE --task sst2 --data train.jsonl --dev dev.jsonl --out DIR
  sotto model finetune ... --method ffa-lora --epsilon 8 --delta 1e-5

  --base DIR         bundle of an encoder or of a chat model, or the folder of a pre-training run
  --task NAME        sst2: {"text", "label": 0 or 1}; labels: {"text", "label"}; pairs: {"text",
                     "pair", "label"}, or made from {"text", "label"}: do two texts have one label?
                     glue:NAME: the TSV files of ${Object.keys(glueTasks).join(', ')}
                     chat: dialogues, {"turns": [{"role", "text"}]}; each is one example
  --data FILE        training data, JSON lines or TSV, .gz or plain
  --dev FILE         held-out data in the same form; it also calibrates the model, so its texts are
                     not protected. Without it, a tenth of --data is held out
  --out DIR          checkpoint, privacy ledger, report.html and report.json go here, and the model
                     to DIR/bundle
  --method NAME      full: all weights; lora: adapters and head; ffa-lora: the same, with half of
                     each adapter frozen and public (ffa-lora with --epsilon, else full)
  --rank N, --alpha N  of the adapters (8 and 16)
  --freeze-tables    full: leave the embedding tables, which are published, as the base has them
  --epochs N         (6; 15 with --epsilon)
  --batch N          examples for each step, on average (32; 512 with --epsilon)
  --lr N             peak learning rate (0.0005)
  --weight-decay N   (0.01; 0 with --epsilon)
  --word-dropout N   share of words hidden at random while training (0.1; 0 with --epsilon)
  --smoothing N      part of the target that all labels share (0)
  --average N        epochs that the averaged weights reach back; 0 takes the last step's (1)
  --replies-only     chat: learn and measure what the assistant says, not what users say
  --pairs-per-text N how often each text begins a pair of either kind, where pairs are made (2)
  --seed N           of the head, the adapters, the order of examples and dropout (1)
  --threads N        processor threads (2)

  --epsilon N        train with differential privacy, spending at most so much
  --delta N          (1 / (10 * examples))
  --clip N           norm that each example's gradient is clipped to (1)
  --optimizer NAME   adamw without --epsilon; dp-sgd, dp-adamw or dp-adambc with it (dp-adambc)
  --gamma N          dp-adambc: floor of the second moment, best near (noise * clip / batch)^2 (7e-9)
  --accountant NAME  prv: tight, or rdp (prv)
  --ledger FILE      where the steps are counted (DIR/privacy-ledger.jsonl)

  --resume           go on from the checkpoint in --out; repeat the other options
  --name, --description, --license, --source TEXT
                     what the model's manifest says about it and its training data
  --json             one JSON object for each epoch, and one at the end
  --help             this text
`

const privateOptimizers = ['dp-sgd', 'dp-adamw', 'dp-adambc'] as const

export async function finetuneCommand(argv: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parse(argv, help, {
    base: text,
    task: text,
    data: text,
    dev: text,
    out: text,
    method: text,
    rank: { type: 'string', default: '8' },
    alpha: { type: 'string', default: '16' },
    'freeze-tables': { type: 'boolean', default: false },
    epochs: text,
    batch: text,
    lr: { type: 'string', default: '0.0005' },
    'weight-decay': text,
    'word-dropout': text,
    smoothing: { type: 'string', default: '0' },
    average: { type: 'string', default: '1' },
    'replies-only': { type: 'boolean', default: false },
    'pairs-per-text': { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    epsilon: text,
    delta: text,
    clip: { type: 'string', default: '1' },
    optimizer: text,
    gamma: text,
    accountant: { type: 'string', default: 'prv' },
    ledger: text,
    resume: { type: 'boolean', default: false },
    name: text,
    description: text,
    license: text,
    source: text,
    json: { type: 'boolean', default: false },
  })
  const real = (name: keyof typeof values & string, fallback: number, max: number, min = 0): number =>
    numberOption(name, (values[name] as string | undefined) ?? String(fallback), {
      integer: false,
      min,
      max,
    })!
  const whole = (name: keyof typeof values & string, fallback: number, min = 1): number =>
    numberOption(name, (values[name] as string | undefined) ?? String(fallback), { min })!
  const isPrivate = values.epsilon !== undefined
  const o: FineTuneOptions = {
    base: required('base', values.base),
    task: taskOf(required('task', values.task)),
    data: required('data', values.data),
    dev: values.dev,
    out: required('out', values.out),
    method:
      choiceOption('method', values.method, ['full', 'lora', 'ffa-lora']) ??
      (isPrivate ? 'ffa-lora' : 'full'),
    rank: whole('rank', 8),
    alpha: real('alpha', 16, 1e4, 1e-3),
    freezeTables: values['freeze-tables'] || isPrivate,
    heldOut: 0.1,
    epochs: whole('epochs', isPrivate ? 15 : 6),
    batch: whole('batch', isPrivate ? 512 : 32),
    learningRate: real('lr', 0.0005, 10, 1e-9),
    weightDecay: real('weight-decay', isPrivate ? 0 : 0.01, 1),
    wordDropout: real('word-dropout', isPrivate ? 0 : 0.1, 0.9),
    smoothing: real('smoothing', 0, 0.9),
    averageEpochs: real('average', 1, 1000),
    repliesOnly: values['replies-only'],
    pairsPerText: whole('pairs-per-text', 2),
    seed: whole('seed', 1, 0),
    threads: whole('threads', 2),
    about: values,
    resume: values.resume,
  }
  const optimizer = choiceOption('optimizer', values.optimizer, ['adamw', ...privateOptimizers])
  if (isPrivate) {
    const named = privateOptimizers.find((name) => name === (optimizer ?? 'dp-adambc'))
    if (!named)
      throw new UsageError('--optimizer adamw is not private. Leave out --epsilon, or choose dp-adamw.')
    o.privacy = {
      epsilon: real('epsilon', 8, 1e4, 1e-3),
      delta: values.delta === undefined ? undefined : real('delta', 0, 0.5, 1e-12),
      clip: real('clip', 1, 1e6, 1e-6),
      accountant: choiceOption('accountant', values.accountant, ['prv', 'rdp'])!,
      optimizer: named,
      gamma: values.gamma === undefined ? undefined : real('gamma', 0, 1, 1e-30),
      ledger: values.ledger,
    }
  } else if ((optimizer ?? 'adamw') !== 'adamw' || values.delta !== undefined || values.ledger !== undefined)
    throw new UsageError('--delta, --ledger and private optimizers need --epsilon: how private should it be?')
  await report(o, values.json)
}

function taskOf(task: string): string {
  const glue = /^glue:(.+)$/.exec(task)?.[1]
  if (glue && !Object.hasOwn(glueTasks, glue.toLowerCase()))
    throw new UsageError(`--task glue:${glue}: use one of ${Object.keys(glueTasks).join(', ')}.`)
  if (!glue) choiceOption('task', task, ['sst2', 'labels', 'pairs', 'glue:NAME', 'chat'])
  return task
}

async function report(o: FineTuneOptions, json: boolean): Promise<void> {
  const print = (value: object, line: string) =>
    process.stdout.write(`${json ? JSON.stringify(value) : line}\n`)
  const summary = await runFineTune({
    ...o,
    onPlan: ({ sigma, q, steps, delta, accountant }) =>
      print(
        { plan: { sigma, q, steps, delta, accountant } },
        `${steps} steps with noise ${sigma.toFixed(4)} at sampling probability ${q.toFixed(5)}, delta ${delta}`,
      ),
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
