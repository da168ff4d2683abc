/** `sotto model audit`: what fine-tuned models give away about their training data, with and without privacy. */

import {
  auditCanaries,
  auditMembership,
  type CanaryFigures,
  type Compared,
  type MembershipFigures,
} from '../../../tools/audit/chat-audit.ts'
import type { AttackFigures } from '../../../tools/audit/membership-audit.ts'
import type { TrainingOptions } from '../../../tools/audit/training-bench.ts'
import { choiceOption, numberOption, parse, required } from '../args.ts'

const help = `
sotto model audit: measure what fine-tuning gives away, with and without differential privacy

  sotto model audit membership --base models/sotto-demo --data dialogues.jsonl.gz
  sotto model audit canaries   --base models/sotto-demo --data dialogues.jsonl.gz

  membership         trains models on random halves of some dialogues, and guesses from their losses
                     who was in which half: by a threshold, and by the likelihood ratio (LiRA)
  canaries           puts dialogues with random codes among the training data, some several times,
                     and ranks each code by its loss among codes that were not there

  --base DIR         bundle of a chat model
  --data FILE        dialogues, JSON lines, .gz or plain; a tenth of them is held out
  --method NAME      full, lora or ffa-lora (ffa-lora)
  --rank N, --alpha N  of the adapters (8 and 16)
  --epochs N         (20; 6 for canaries)
  --batch N          dialogues for each step, on average (16; 32 for canaries)
  --lr N             peak learning rate (0.01)
  --pool N           membership: dialogues, of which each model learns from half (160)
  --models N         membership: each is attacked with the others for shadows (8)
  --dialogues N      canaries: training dialogues besides the canaries (1000)
  --repetitions LIST canaries: how often the canaries of each group occur (1,4,16)
  --per-group N      canaries: codes in a group (4)
  --references N     canaries: codes that each is ranked against (1000)
  --digits N         canaries: digits of a code (6)
  --epsilon N, --delta N, --clip N  of the private models (8, 1e-5, 1)
  --optimizer NAME   of the private models: dp-sgd, dp-adamw or dp-adambc (dp-adamw)
  --seed N           of everything but the privacy's own randomness (1)
  --threads N        processor threads (2)
  --json             one JSON object
  --help             this text
`

export async function auditCommand(argv: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parse(
    argv,
    help,
    {
      ...{
        base: text,
        data: text,
        method: text,
        rank: text,
        alpha: text,
        epochs: text,
        batch: text,
        lr: text,
      },
      ...{
        pool: text,
        models: text,
        dialogues: text,
        repetitions: text,
        'per-group': text,
        references: text,
      },
      ...{ digits: text, epsilon: text, delta: text, clip: text, optimizer: text, seed: text, threads: text },
      json: { type: 'boolean', default: false },
    },
    1,
  )
  const kind = choiceOption('kind', positionals[0] ?? 'membership', ['membership', 'canaries'])!
  const isMembership = kind === 'membership'
  const whole = (name: keyof typeof values & string, fallback: number, min = 1): number =>
    numberOption(name, values[name] as string | undefined, { min }) ?? fallback
  const real = (name: keyof typeof values & string, fallback: number, max: number): number =>
    numberOption(name, values[name] as string | undefined, { min: 1e-12, max, integer: false }) ?? fallback
  const common: TrainingOptions & { onProgress: (text: string) => void } = {
    base: required('base', values.base),
    data: required('data', values.data),
    method: choiceOption('method', values.method, ['full', 'lora', 'ffa-lora']) ?? 'ffa-lora',
    rank: whole('rank', 8),
    alpha: real('alpha', 16, 1e4),
    epochs: whole('epochs', isMembership ? 20 : 6),
    batch: whole('batch', isMembership ? 16 : 32),
    learningRate: real('lr', 0.01, 10),
    seed: whole('seed', 1, 0),
    threads: whole('threads', 2),
    privacy: {
      epsilon: real('epsilon', 8, 1e4),
      delta: real('delta', 1e-5, 0.5),
      clip: real('clip', 1, 1e6),
      // Quick, and there are many small runs.
      accountant: 'rdp',
      optimizer:
        choiceOption('optimizer', values.optimizer, ['dp-sgd', 'dp-adamw', 'dp-adambc']) ?? 'dp-adamw',
    },
    onProgress: (line) => process.stderr.write(`${line}\n`),
  }
  if (isMembership) {
    const o = { ...common, pool: whole('pool', 160, 8), models: whole('models', 8, 6) }
    const found = await auditMembership(o)
    process.stdout.write(values.json ? `${JSON.stringify({ kind, ...found })}\n` : membershipText(found))
    return
  }
  const canaries = {
    repetitions: (values.repetitions ?? '1,4,16')
      .split(',')
      .map((n) => numberOption('repetitions', n, { min: 1 })!),
    perGroup: whole('per-group', 4),
    references: whole('references', 1000),
    digits: whole('digits', 6),
    seed: common.seed,
  }
  const found = await auditCanaries({ ...common, dialogues: whole('dialogues', 1000), canaries })
  process.stdout.write(values.json ? `${JSON.stringify({ kind, ...found })}\n` : canaryText(found))
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
