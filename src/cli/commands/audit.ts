/** `sotto model audit`: what fine-tuned models give away about their training data, with and without privacy. */

import { Argument, Option } from '@commander-js/extra-typings'
import {
  auditCanaries,
  auditMembership,
  type CanaryFigures,
  type Compared,
  type MembershipFigures,
} from '../../../tools/audit/chat-audit.ts'
import type { AttackFigures } from '../../../tools/audit/membership-audit.ts'
import type { TrainingOptions } from '../../../tools/audit/training-bench.ts'
import { command, type ValuesOf } from '../command.ts'
import { printResult, say } from '../terminal.ts'
import { list, real, whole } from '../values.ts'

const declared = command(
  'audit',
  'Measure what fine-tuning gives away, with and without differential privacy.',
)
  .addArgument(
    new Argument(
      '[kind]',
      'membership: trains models on random halves of some dialogues, and guesses from their losses who was in which half, by a threshold and by the likelihood ratio (LiRA). canaries: puts dialogues with random codes among the training data, some several times, and ranks each code by its loss among codes that were not there',
    )
      .choices(['membership', 'canaries'] as const)
      .default('membership' as const),
  )
  .requiredOption('--base <dir>', 'bundle of a chat model')
  .requiredOption('--data <file>', 'dialogues, JSON lines, .gz or plain; a tenth of them is held out')
  .addOption(
    new Option('--method <name>', 'how the models are tuned')
      .choices(['full', 'lora', 'ffa-lora'] as const)
      .default('ffa-lora' as const),
  )
  .option('--rank <n>', 'of the adapters', whole(1), 8)
  .option('--alpha <n>', 'scale of the adapters, over their rank', real(1e-12, 1e4), 16)
  .option('--epochs <n>', 'passes over the training data; 20, or 6 for canaries, if not given', whole(1))
  .option(
    '--batch <n>',
    'dialogues for each step, on average; 16, or 32 for canaries, if not given',
    whole(1),
  )
  .option('--lr <n>', 'peak learning rate', real(1e-12, 10), 0.01)
  .option('--seed <n>', "of everything but the privacy's own randomness", whole(), 1)
  .option('--threads <n>', 'processor threads', whole(1), 2)
  .option('--json', 'print one JSON object', false)
  .optionsGroup('Membership:')
  .option('--pool <n>', 'dialogues, of which each model learns from half', whole(8), 160)
  .option('--models <n>', 'each is attacked with the others for shadows', whole(6), 8)
  .optionsGroup('Canaries:')
  .option('--dialogues <n>', 'training dialogues besides the canaries', whole(1), 1000)
  .addOption(
    new Option('--repetitions <list>', 'how often the canaries of each group occur')
      .argParser(list(whole(1)))
      .default([1, 4, 16] as number[], '1,4,16'),
  )
  .option('--per-group <n>', 'codes in a group', whole(1), 4)
  .option('--references <n>', 'codes that each is ranked against', whole(1), 1000)
  .option('--digits <n>', 'digits of a code', whole(1), 6)
  .optionsGroup('The private models:')
  .option('--epsilon <n>', 'how private they are', real(1e-12, 1e4), 8)
  .option('--delta <n>', 'chance that they are not', real(1e-12, 0.5), 1e-5)
  .option('--clip <n>', "norm that each example's gradient is clipped to", real(1e-12, 1e6), 1)
  .addOption(
    new Option('--optimizer <name>', 'takes the noisy steps')
      .choices(['dp-sgd', 'dp-adamw', 'dp-adambc'] as const)
      .default('dp-adamw' as const),
  )
  .addHelpText(
    'after',
    `
Examples:
  sotto model audit membership --base models/sotto-demo --data dialogues.jsonl.gz
  sotto model audit canaries   --base models/sotto-demo --data dialogues.jsonl.gz`,
  )

export const auditCommand = declared.action(audit)

async function audit(kind: 'membership' | 'canaries', values: ValuesOf<typeof declared>): Promise<void> {
  const isMembership = kind === 'membership'
  const { epsilon, delta, clip, optimizer } = values
  const common: TrainingOptions & { onProgress: (text: string) => void } = {
    base: values.base,
    data: values.data,
    method: values.method,
    rank: values.rank,
    alpha: values.alpha,
    epochs: values.epochs ?? (isMembership ? 20 : 6),
    batch: values.batch ?? (isMembership ? 16 : 32),
    learningRate: values.lr,
    seed: values.seed,
    threads: values.threads,
    // The Renyi accountant is quick, and there are many small runs.
    privacy: { epsilon, delta, clip, accountant: 'rdp', optimizer },
    onProgress: say,
  }
  if (isMembership) {
    const found = await auditMembership({ ...common, pool: values.pool, models: values.models })
    printResult(values.json, { kind, ...found }, membershipText(found))
    return
  }
  const { repetitions, perGroup, references, digits, seed, dialogues } = values
  const canaries = { repetitions, perGroup, references, digits, seed }
  const found = await auditCanaries({ ...common, dialogues, canaries })
  printResult(values.json, { kind, ...found }, canaryText(found))
}

const table = (rows: string[][]): string =>
  `${rows.map(([name, ...cells]) => name.padEnd(38) + cells.map((cell) => cell.padStart(12)).join('')).join('\n')}\n`

function membershipText({ basePerplexity, plain, private: own }: Compared<MembershipFigures>): string {
  const both = (name: string, pick: (f: MembershipFigures) => string) => [name, pick(plain), pick(own)]
  const attack = (name: string, pick: (f: MembershipFigures) => AttackFigures) => [
    both(`${name}: area under the curve`, (f) => pick(f).areaUnderCurve.toFixed(3)),
    both(`${name}: advantage`, (f) => pick(f).advantage.toFixed(3)),
    both(
      `${name}: found at 1 % false alarms`,
      (f) => `${(100 * pick(f).truePositiveAtOnePercent).toFixed(1)} %`,
    ),
    both(`${name}: epsilon at least`, (f) => pick(f).epsilonLower.toFixed(2)),
  ]
  return table([
    ['', 'ordinary', 'private'],
    ['perplexity of the base, held out', ...Array<string>(2).fill(basePerplexity.toFixed(1))],
    both('perplexity, held out', (f) => f.perplexity.toFixed(1)),
    both('perplexity, training (mean by dialogue)', (f) => f.trainPerplexity.toFixed(1)),
    ...attack('threshold', (f) => f.lossThreshold),
    ...attack('LiRA', (f) => f.likelihoodRatio),
  ])
}

function canaryText({ basePerplexity, plain, private: own }: Compared<CanaryFigures>): string {
  const groups = plain.groups.flatMap(({ repetitions, limit }, i) => {
    const cells = (pick: (f: CanaryFigures['groups'][number]) => string) => [
      pick(plain.groups[i]),
      pick(own.groups[i]),
    ]
    const times = repetitions === 1 ? 'once' : `${repetitions} times`
    return [
      [`exposure, ${times} (at most ${limit.toFixed(1)} bits)`, ...cells((g) => g.mean.toFixed(2))],
      [`ranked first, ${times}`, ...cells((g) => String(g.extracted))],
    ]
  })
  return table([
    ['', 'ordinary', 'private'],
    ['perplexity of the base, held out', ...Array<string>(2).fill(basePerplexity.toFixed(1))],
    ['perplexity, held out', plain.perplexity.toFixed(1), own.perplexity.toFixed(1)],
    ...groups,
  ])
}
